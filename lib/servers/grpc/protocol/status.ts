/**
 * Status codes of gRPC (github.com/grpc/grpc/blob/master/doc/statuscodes.md) and how a status travels: two trailers, the
 * message percent-encoded (doc/PROTOCOL-HTTP2.md).
 */
import { type QueryCode, QueryError } from "../../../flow/market_queries.ts";

export const OK = 0;
export const CANCELLED = 1;
export const INVALID_ARGUMENT = 3;
export const DEADLINE_EXCEEDED = 4;
export const NOT_FOUND = 5;
export const PERMISSION_DENIED = 7;
export const RESOURCE_EXHAUSTED = 8;
export const UNIMPLEMENTED = 12;
export const INTERNAL = 13;
export const UNAVAILABLE = 14;
export const UNAUTHENTICATED = 16;

const NAMES: Readonly<Record<number, string>> = {
  [OK]: "OK",
  [CANCELLED]: "CANCELLED",
  [INVALID_ARGUMENT]: "INVALID_ARGUMENT",
  [DEADLINE_EXCEEDED]: "DEADLINE_EXCEEDED",
  [NOT_FOUND]: "NOT_FOUND",
  [PERMISSION_DENIED]: "PERMISSION_DENIED",
  [RESOURCE_EXHAUSTED]: "RESOURCE_EXHAUSTED",
  [UNIMPLEMENTED]: "UNIMPLEMENTED",
  [INTERNAL]: "INTERNAL",
  [UNAVAILABLE]: "UNAVAILABLE",
  [UNAUTHENTICATED]: "UNAUTHENTICATED",
};

export function statusName(code: number): string {
  return NAMES[code] ?? String(code);
}

/** How a call ends otherwise than well. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

const OF_QUERY: Readonly<Record<QueryCode, number>> = {
  not_found: NOT_FOUND,
  invalid: INVALID_ARGUMENT,
  forbidden: PERMISSION_DENIED,
  unavailable: UNAVAILABLE,
};

/** What a handler threw, as a status; undefined: nothing that a client is to read. */
export function statusOf(error: unknown): GrpcError | undefined {
  if (error instanceof GrpcError) return error;
  if (error instanceof QueryError) return new GrpcError(OF_QUERY[error.code], error.message);
  return undefined;
}

/** A header block bears so much without trouble everywhere. */
const MAX_MESSAGE_BYTES = 1_024;
const encoder = new TextEncoder();

/** Printable ASCII stands for itself, except the percent sign; every other byte of the UTF-8 as %XX. */
export function percentEncode(message: string): string {
  let text = "";
  for (const byte of encoder.encode(message).subarray(0, MAX_MESSAGE_BYTES)) {
    const is_plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += is_plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

export function trailersOf(code: number, message: string): Record<string, string> {
  return message === ""
    ? { "grpc-status": String(code) }
    : { "grpc-status": String(code), "grpc-message": percentEncode(message) };
}
