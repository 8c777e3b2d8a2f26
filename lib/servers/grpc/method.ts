/** What a service is made of: a path and what is done with a call of it. */
import type { Call } from "./transport/call.ts";
import type { GrpcClient } from "./client.ts";
import { GrpcError, INVALID_ARGUMENT } from "./protocol/status.ts";
import type { MessageType } from "./schema/schemas.ts";

/** One request, for the market: the client is known. May throw GrpcError or QueryError. */
export interface MarketMethod {
  readonly kind: "market";
  /** Told by metrics. */
  readonly name: string;
  /** A stream runs until it ends, and counts among the client's subscriptions. */
  readonly is_stream: boolean;
  answer(request: Uint8Array, call: Call, client: GrpcClient, venue: string | undefined): void;
}

/** For anybody: no token is asked for. `answer` is called per message. */
export interface OpenMethod {
  readonly kind: "open";
  readonly name: string;
  /** The client sends many requests and says when it is done. */
  readonly is_conversation: boolean;
  answer(request: Uint8Array, call: Call): void;
}

export type Method = MarketMethod | OpenMethod;

/** "/package.Service/Method" → what it does. */
export type Methods = Readonly<Record<string, Method>>;

/** @throws GrpcError for bytes that are no such message */
export function decode<Fields extends object>(
  type: MessageType<Fields>,
  bytes: Uint8Array,
): Required<Fields> {
  try {
    return type.decode(bytes);
  } catch {
    throw new GrpcError(INVALID_ARGUMENT, "read the request: it is no such message");
  }
}
