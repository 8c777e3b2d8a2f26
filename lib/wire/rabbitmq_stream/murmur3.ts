/**
 * MurmurHash3, x86, 32 bits (Austin Appleby, public domain algorithm): what all stream clients route keys of a super
 * stream by, so that producers in other languages agree on the partition of a symbol.
 */
const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function mixed(block: number): number {
  block = Math.imul(block, C1);
  return Math.imul(block << 15 | block >>> 17, C2);
}

/** An unsigned 32-bit hash. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let hash = seed;
  for (let i = 0; i < whole; i += 4) {
    hash ^= mixed(view.getUint32(i, true));
    hash = Math.imul(hash << 13 | hash >>> 19, 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = tail << 8 | bytes[i];
  if (whole < bytes.length) hash ^= mixed(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
