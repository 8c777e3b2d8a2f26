/**
 * Opens a delivered chunk (osiris): a head, then entries, each one message or a batch of them. Batches without
 * compression and with gzip are opened; others are an error that names the codec. Tracking chunks hold no messages.
 */
import { gunzipSync } from "node:zlib";
import { FrameReader } from "./frame_reader.ts";

export interface StreamEntry {
  readonly offset: bigint;
  /** When the broker wrote the chunk, Unix epoch, milliseconds. */
  readonly timestamp_ms: number;
  /** AMQP 1.0 bytes; a view, valid only until the caller returns. */
  readonly message: Uint8Array<ArrayBuffer>;
}

const MAGIC = 5;
const USER_CHUNK = 0;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];
/** An unpacked batch larger than this is refused: a few bytes may claim to be gigabytes. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** The messages of one Deliver body, after the subscription id. Throws a RangeError on a broken chunk. */
export function* readChunk(reader: FrameReader): Generator<StreamEntry> {
  const magic_version = reader.u8();
  if (magic_version >> 4 !== MAGIC) {
    throw new RangeError(`read chunk: magic ${magic_version >> 4}, want ${MAGIC}`);
  }
  const type = reader.u8();
  const entries = reader.u16();
  reader.u32(); // records
  const timestamp_ms = Number(reader.i64());
  reader.u64(); // epoch
  let offset = reader.u64();
  reader.u32(); // checksum: TCP has one, and the broker checks it on disk
  reader.u32(); // data bytes
  reader.u32(); // trailer bytes
  reader.u32(); // reserved
  if (type !== USER_CHUNK) return;
  for (let i = 0; i < entries; i++) {
    const first = reader.u8();
    if (first < 0x80) {
      // The top bit of the size is the "batch" mark, so this is the first byte of four.
      const size = first * 0x1000000 + reader.u8() * 0x10000 + reader.u16();
      yield { offset: offset++, timestamp_ms, message: reader.bytes(size) };
      continue;
    }
    const records = reader.u16();
    const unpacked_bytes = reader.u32();
    const packed = reader.bytes(reader.u32());
    const batch = new FrameReader(unpacked(packed, first >> 4 & 7, unpacked_bytes));
    for (let j = 0; j < records; j++) {
      yield { offset: offset++, timestamp_ms, message: batch.bytes(batch.u32()) };
    }
  }
}

function unpacked(packed: Uint8Array<ArrayBuffer>, codec: number, size: number): Uint8Array<ArrayBuffer> {
  if (codec === 0) return packed;
  if (codec !== 1) {
    throw new RangeError(`read chunk: batch compressed with ${CODECS[codec] ?? codec}, want none or gzip`);
  }
  if (size > MAX_UNPACKED_BYTES) {
    throw new RangeError(`read chunk: batch of ${size} bytes, want at most ${MAX_UNPACKED_BYTES}`);
  }
  return new Uint8Array(gunzipSync(packed, { maxOutputLength: Math.max(size, 1) }));
}
