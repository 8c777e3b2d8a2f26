/** Which failures pass: the same command may succeed later. Every other error reply is final. */
const PASSING_REPLY =
  /^(LOADING|BUSY|MASTERDOWN|READONLY|OOM|MISCONF|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOAUTH|NOREPLICAS)\b/;

/** No answer at all passes too. */
export function passes(error: Error): boolean {
  return error.name !== "ReplyError" || PASSING_REPLY.test(error.message);
}
