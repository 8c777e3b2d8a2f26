/**
 * Growth of column storage by copy. Typed arrays hold the simulation's tables because a row then costs no object and no
 * garbage; they start small and double, so two hundred quiet symbols stay cheap.
 */

/** A longer array of the same type that begins with the old content. */
export function grown(from: Float64Array, length: number): Float64Array<ArrayBuffer>;
export function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer>;
export function grown(from: Uint8Array, length: number): Uint8Array<ArrayBuffer>;
export function grown(from: Float64Array | Int32Array | Uint8Array, length: number) {
  const to = from instanceof Float64Array
    ? new Float64Array(length)
    : from instanceof Int32Array
    ? new Int32Array(length)
    : new Uint8Array(length);
  to.set(from);
  return to;
}
