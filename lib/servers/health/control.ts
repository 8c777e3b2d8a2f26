/**
 * What the health port lets an operator do: `POST /subscriptions`, and what sessions.ts has. Off unless a token is configured; every request
 * must carry it (`authorization: Bearer …`, compared in constant time). Bodies are bounded in size and in time, and a
 * request is done wholly or not at all.
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { type Clock, withDeadline } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import type { SubscriptionControl } from "../../flow/hub.ts";

const MAX_BODY_BYTES = 256 * 1024;
const BODY_MS = 5_000;

const symbols = z.array(z.string().regex(/^[\x21-\x7e]{1,64}$/)).max(5_000).default([]);
const changeSchema = z.strictObject({
  source: z.string().max(200).optional(),
  add: symbols,
  remove: symbols,
});

/** A request that is not done: status, code, and words for the person. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** @throws Refusal 401 unless the request carries the token; `what` it asks for is named */
export function requireToken(request: IncomingMessage, token: string, what: string): void {
  const given = request.headers.authorization ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(digest(given), digest(`Bearer ${token}`))) return;
  throw new Refusal(401, "unauthorized", `${what}: no valid token, want authorization: Bearer TOKEN`);
}

/** `{"source"?, "add"?: […], "remove"?: […]}` → what the source carries now. `source` may be left out when there is one. */
export async function changeSubscriptions(
  request: IncomingMessage,
  control: SubscriptionControl,
  clock: Clock,
): Promise<unknown> {
  const wanted = changeSchema.safeParse(await bodyOf(request, clock));
  if (!wanted.success) {
    const [{ path, message }] = wanted.error.issues;
    throw new Refusal(400, "bad_request", `change subscriptions: ${path.join(".") || "body"}: ${message}`);
  }
  const { add, remove } = wanted.data;
  const sources = control.list().map((one) => one.source);
  const source = wanted.data.source ?? (sources.length === 1 ? sources[0] : undefined);
  if (source === undefined) {
    const message = `change subscriptions: no source named, want "source" as one of ${sources.join(", ")}`;
    throw new Refusal(400, "bad_request", message);
  }
  if (add.length + remove.length === 0) {
    throw new Refusal(
      400,
      "bad_request",
      `change subscriptions of "${source}": nothing to do, want "add" or "remove"`,
    );
  }
  try {
    return control.change(source, add, remove);
  } catch (error) {
    if (error instanceof UserError) throw new Refusal(409, "refused", error.message);
    throw error;
  }
}

async function bodyOf(request: IncomingMessage, clock: Clock): Promise<unknown> {
  const gather = async () => {
    const parts: Uint8Array[] = [];
    let size_bytes = 0;
    for await (const part of request) {
      size_bytes += part.length;
      if (size_bytes > MAX_BODY_BYTES) {
        throw new Refusal(413, "too_large", `read the request: more than ${MAX_BODY_BYTES} bytes`);
      }
      parts.push(part);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  };
  try {
    return JSON.parse(await withDeadline(clock, BODY_MS, "read the request", gather()));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "bad_request", 'read the request: no JSON, want such as {"add":["BTCUSDT"]}');
  }
}
