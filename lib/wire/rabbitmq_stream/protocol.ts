/**
 * The words of the RabbitMQ Streams protocol (rabbitmq-server, deps/rabbitmq_stream/docs/PROTOCOL.adoc): command keys,
 * response codes with what they mean to a person, offsets. Version 1 of every command, which brokers from 3.9 on speak.
 */

export const Key = {
  declare_publisher: 1,
  publish: 2,
  publish_confirm: 3,
  publish_error: 4,
  query_publisher_sequence: 5,
  delete_publisher: 6,
  subscribe: 7,
  deliver: 8,
  credit: 9,
  store_offset: 10,
  query_offset: 11,
  unsubscribe: 12,
  create: 13,
  delete: 14,
  metadata: 15,
  metadata_update: 16,
  peer_properties: 17,
  sasl_handshake: 18,
  sasl_authenticate: 19,
  tune: 20,
  open: 21,
  close: 22,
  heartbeat: 23,
  partitions: 25,
  create_super_stream: 29,
} as const;

/** Set in the key of an answer. */
export const RESPONSE_BIT = 0x8000;
/** Frames before the size is agreed on; the broker's own default afterwards. */
export const DEFAULT_FRAME_MAX_BYTES = 1_048_576;
/** Publishers on one connection: their id is one byte. */
export const MAX_PUBLISHERS = 256;
/** A reference is stored with one byte of length. */
export const MAX_REFERENCE_BYTES = 255;

export const Code = {
  ok: 1,
  stream_does_not_exist: 2,
  stream_already_exists: 5,
  stream_not_available: 6,
  authentication_failure: 8,
  virtual_host_access_failure: 12,
  access_refused: 16,
  precondition_failed: 17,
  publisher_does_not_exist: 18,
  no_offset: 19,
} as const;

const MEANINGS: Readonly<Record<number, string>> = {
  2: "the stream does not exist",
  3: "the subscription id is taken",
  4: "the subscription id does not exist",
  5: "the stream exists already",
  6: "the stream is not available now",
  7: "the broker does not offer this SASL mechanism",
  8: "user or password refused",
  9: "the SASL exchange failed",
  10: "the SASL exchange is not finished",
  11: "this user may log in from the broker's own host only",
  12: "the virtual host does not exist, or this user may not use it",
  13: "the broker does not know this command",
  14: "the frame is larger than agreed",
  15: "internal error of the broker",
  16: "this user has no permission for it",
  17: "a precondition failed",
  18: "the publisher does not exist",
  19: "no offset is stored",
};

/** A response code in words: "user or password refused (code 8)". */
export function meaningOf(code: number): string {
  return `${MEANINGS[code] ?? "unknown response"} (code ${code})`;
}

/** The broker said no. `code` tells whether asking again can help. */
export class RefusedByBroker extends Error {
  override readonly name = "RefusedByBroker";
  constructor(readonly what: string, readonly code: number, detail = meaningOf(code)) {
    super(`${what}: ${detail}`);
  }
}

/** Where a consumer begins. */
export type StreamOffset =
  | { readonly from: "first" | "last" | "next" }
  | { readonly from: "offset"; readonly offset: bigint }
  /** Unix epoch, milliseconds; the chunk that holds it, so some messages before may come. */
  | { readonly from: "timestamp"; readonly timestamp_ms: number };

export const OFFSET_TYPES = { first: 1, last: 2, next: 3, offset: 4, timestamp: 5 } as const;
