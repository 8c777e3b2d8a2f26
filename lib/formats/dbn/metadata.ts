/**
 * The head of a Databento Binary Encoding (DBN) file, versions 1 to 3: which dataset, and which instrument number is
 * which symbol. Layout after the published specification: "DBN", version, u32 length, fixed part of 100 bytes, then lists
 * of fixed-width names. All little endian.
 */

const PREFIX_BYTES = 8;
const FIXED_BYTES = 100;
const NAME_BYTES_V1 = 22;
/** Names in one file; more is no file of theirs. */
const MAX_NAMES = 5_000_000;
export const MAX_METADATA_BYTES = 256 * 1024 * 1024;
const decoder = new TextDecoder();

export interface DbnMetadata {
  version: number;
  dataset: string;
  /** Records carry a further u64 at their end. */
  has_ts_out: boolean;
  /** Instrument number → symbol as it was asked for. A number that changed hands has its last owner's. */
  symbols: Map<number, string>;
}

/** Bytes of the whole head, from its first eight; undefined when this is no DBN. */
export function dbnHeadBytes(start: Uint8Array): number | undefined {
  if (start.length < PREFIX_BYTES || decoder.decode(start.subarray(0, 3)) !== "DBN") return undefined;
  return PREFIX_BYTES + new DataView(start.buffer, start.byteOffset).getUint32(4, true);
}

/** @throws RangeError with the reason, when it is none that is known */
export function readDbnMetadata(bytes: Uint8Array): DbnMetadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[3];
  if (version < 1 || version > 3) throw new RangeError(`DBN version ${version}, want 1 to 3`);
  const fixed = PREFIX_BYTES;
  const dataset = text(bytes, fixed, 16);
  // Version 1 has a count of records before the symbologies; later ones the width of names after them.
  const symbology = fixed + 16 + 2 + 8 + 8 + 8 + (version === 1 ? 8 : 0);
  const stype_out = bytes[symbology + 1];
  const has_ts_out = bytes[symbology + 2] === 1;
  const name_bytes = version === 1 ? NAME_BYTES_V1 : view.getUint16(symbology + 3, true);
  let at = fixed + FIXED_BYTES;
  const count = () => {
    const value = view.getUint32(at, true);
    if (value > MAX_NAMES) throw new RangeError(`${value} names, want at most ${MAX_NAMES}`);
    at += 4;
    return value;
  };
  const name = () => {
    at += name_bytes;
    return text(bytes, at - name_bytes, name_bytes);
  };
  const schema_definition = count();
  at += schema_definition;
  // Asked for, partly there, not found: what counts are the mappings.
  for (let list = 0; list < 3; list++) {
    const names = count();
    at += names * name_bytes;
  }
  const symbols = new Map<number, string>();
  for (let left = count(); left > 0; left--) {
    const raw = name();
    for (let intervals = count(); intervals > 0; intervals--) {
      at += 8;
      const mapped = name();
      // Symbology 0 is the instrument's number; else the raw side may be it.
      const [number, symbol] = stype_out === 0 ? [mapped, raw] : [raw, mapped];
      if (/^\d+$/.test(number)) symbols.set(Number(number), symbol);
    }
  }
  return { version, dataset, has_ts_out, symbols };
}

/** A zero-ended name. */
export function text(bytes: Uint8Array, start: number, length: number): string {
  const end = bytes.indexOf(0, start);
  return decoder.decode(bytes.subarray(start, end < 0 || end > start + length ? start + length : end));
}
