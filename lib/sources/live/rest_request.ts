/**
 * One GET to a venue's REST side: a deadline, a bound on the body, no redirects (they would carry the request elsewhere).
 */
import type { Clock } from "../../base/clock.ts";

const REQUEST_MS = 10_000;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface RestAnswer {
  status: number;
  body: Uint8Array;
  retry_after: string | null;
}

/** Rejects when there is no whole answer within the deadline, or it is too large. */
export async function restRequest(url: string, clock: Clock, signal: AbortSignal): Promise<RestAnswer> {
  const deadline = new AbortController();
  const timer = clock.after(
    REQUEST_MS,
    () => deadline.abort(new Error(`no answer within ${REQUEST_MS} ms`)),
  );
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, deadline.signal]),
      redirect: "error",
      headers: { accept: "application/json" },
    });
    const { status } = response;
    const body = await boundedBody(response);
    return { status, body, retry_after: response.headers.get("retry-after") };
  } finally {
    timer.cancel();
  }
}

async function boundedBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error(`answer of more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
