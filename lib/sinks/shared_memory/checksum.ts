/**
 * The checksum of slots: 32 bits over 16-byte groups, four lanes at once so that a processor does them side by side.
 * It finds torn reads, which the lock finds as well, and what no lock finds: stores that a processor or a compiler
 * reordered. Refuses: guarding against malice; it is no signature.
 */

const MULTIPLIER = 0x85ebca6b | 0;
const SEEDS = [0x243f6a88 | 0, 0x85a308d3 | 0, 0x13198a2e | 0, 0x03707344 | 0] as const;

/** Over `words[from … to)`, a multiple of 4 words; `seed` continues an earlier range. */
export function checksum(words: Int32Array, from: number, to: number, seed = 0): number {
  let a = SEEDS[0] ^ seed;
  let b = SEEDS[1] ^ seed;
  let c = SEEDS[2] ^ seed;
  let d = SEEDS[3] ^ seed;
  for (let i = from; i < to; i += 4) {
    a = Math.imul(a ^ words[i], MULTIPLIER);
    b = Math.imul(b ^ words[i + 1], MULTIPLIER);
    c = Math.imul(c ^ words[i + 2], MULTIPLIER);
    d = Math.imul(d ^ words[i + 3], MULTIPLIER);
    a ^= a >>> 15;
    b ^= b >>> 15;
    c ^= c >>> 15;
    d ^= d >>> 15;
  }
  return fold(fold(fold(a, b), c), d);
}

function fold(sum: number, lane: number): number {
  const mixed = Math.imul(sum ^ lane, MULTIPLIER);
  return mixed ^ (mixed >>> 15);
}
