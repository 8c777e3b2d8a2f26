/**
 * Bytes as text: strict UTF-8, a byte order mark is dropped. What is no UTF-8 is told with the place of the first byte
 * that is not; encodings are not guessed.
 */
import { SourceText } from "./source_text.ts";

/** @param refusal makes the error out of a reason like `not UTF-8 text at 2:3, want UTF-8` */
export function decodeUtf8(name: string, bytes: Uint8Array, refusal: (reason: string) => Error): SourceText {
  if ((bytes[0] === 0xFF && bytes[1] === 0xFE) || (bytes[0] === 0xFE && bytes[1] === 0xFF)) {
    throw refusal("encoded as UTF-16, want UTF-8");
  }
  try {
    return new SourceText(name, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    const readable = new TextDecoder().decode(bytes.subarray(0, goodLength(bytes)), { stream: true });
    const { line, column } = new SourceText(name, readable).positionAt(readable.length);
    throw refusal(`not UTF-8 text at ${line}:${column}, want UTF-8`);
  }
}

/** The largest prefix that decodes, found by halving: decoding is monotonic in the prefix. */
function goodLength(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}
