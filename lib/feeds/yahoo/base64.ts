/**
 * Base64 (RFC 4648, section 4) from frame bytes into a buffer that is kept: no string, nothing allocated per frame.
 * Padding may be missing, as in some clients' recordings; any other deviation is refused.
 */
const INVALID = 64;
const PAD = 61;
const VALUES = new Uint8Array(256).fill(INVALID);
for (
  const [value, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()
) {
  VALUES[char.charCodeAt(0)] = value;
}

/** Bytes written to `out`, or −1 when [start, end) is no base64. `out` has room for three quarters of the text. */
export function decodeBase64(text: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let stop = end;
  while (stop > start && end - stop < 2 && text[stop - 1] === PAD) stop--;
  const length = stop - start;
  if (length % 4 === 1 || (stop < end && (end - start) % 4 !== 0)) return -1;
  let at = 0;
  let p = start;
  let seen = 0;
  for (const whole = start + length - length % 4; p < whole; p += 4) {
    const a = VALUES[text[p]], b = VALUES[text[p + 1]], c = VALUES[text[p + 2]], d = VALUES[text[p + 3]];
    seen |= a | b | c | d;
    out[at++] = (a << 2) | (b >> 4);
    out[at++] = (b << 4) | (c >> 2);
    out[at++] = (c << 6) | d;
  }
  if (p < stop) {
    const a = VALUES[text[p]], b = VALUES[text[p + 1]];
    const c = p + 2 < stop ? VALUES[text[p + 2]] : 0;
    seen |= a | b | c;
    out[at++] = (a << 2) | (b >> 4);
    if (p + 2 < stop) out[at++] = (b << 4) | (c >> 2);
  }
  return seen & INVALID ? -1 : at;
}
