/**
 * What a client may say: `{"method":"SUBSCRIBE","params":["btcusdt@depth"],"id":1}` and its siblings. Pure: text in, a
 * request or the venue's error out. Error codes: 0 unknown property, 1 wrong value type, 2 invalid request, 3 invalid JSON.
 */

export type RequestId = number | string | null;

export type ControlMessage =
  | { method: "SUBSCRIBE" | "UNSUBSCRIBE"; streams: string[]; id: RequestId }
  | { method: "LIST_SUBSCRIPTIONS"; id: RequestId }
  | { method: "SET_PROPERTY"; combined: boolean; id: RequestId }
  | { method: "GET_PROPERTY"; id: RequestId }
  | { method: "ERROR"; code: 0 | 1 | 2 | 3; reason: string; id: RequestId };

const MAX_ID_LENGTH = 36;

export function parseControlMessage(text: string): ControlMessage {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return { method: "ERROR", code: 3, reason: "Invalid JSON: expected value", id: null };
  }
  if (message === null || typeof message !== "object" || Array.isArray(message)) {
    return refused(2, "expected an object", null);
  }
  const id = message.id ?? null;
  if (!isRequestId(id)) return refused(2, "request ID must be an unsigned integer or a short string", null);
  const { method, params } = message;
  if (method === undefined) return refused(2, "missing field `method`", id);
  switch (method) {
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
      if (!isTextList(params)) return refused(2, "params must be a list of stream names", id);
      return { method, streams: params, id };
    case "LIST_SUBSCRIPTIONS":
      return { method, id };
    case "SET_PROPERTY":
    case "GET_PROPERTY":
      return property(method, params, id);
    default:
      return refused(2, `unknown variant \`${String(method).slice(0, 40)}\``, id);
  }
}

/** `{"result":…,"id":…}` */
export function resultText(result: unknown, id: RequestId): string {
  return JSON.stringify({ result, id });
}
/** `{"code":2,"msg":"Invalid request: …","id":1}`; the id only where one was given. */
export function errorText(error: ControlMessage & { method: "ERROR" }): string {
  return JSON.stringify({ code: error.code, msg: error.reason, id: error.id ?? undefined });
}

function property(method: "SET_PROPERTY" | "GET_PROPERTY", params: unknown, id: RequestId): ControlMessage {
  if (!Array.isArray(params)) return refused(2, "params must be a list", id);
  const [name, value] = params;
  if (name !== "combined") return { method: "ERROR", code: 0, reason: "Unknown property", id };
  if (method === "GET_PROPERTY") return { method, id };
  if (typeof value !== "boolean") {
    return { method: "ERROR", code: 1, reason: "Invalid value type: expected Boolean", id };
  }
  return { method, combined: value, id };
}

function refused(code: 2, why: string, id: RequestId): ControlMessage {
  return { method: "ERROR", code, reason: `Invalid request: ${why}`, id };
}
function isRequestId(id: unknown): id is RequestId {
  if (typeof id === "string") return id.length <= MAX_ID_LENGTH;
  return id === null || (Number.isInteger(id) && Number(id) >= 0);
}
function isTextList(params: unknown): params is string[] {
  return Array.isArray(params) && params.length > 0 && params.every((one) => typeof one === "string");
}
