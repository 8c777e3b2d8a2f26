/** Up to nine digits in [start, stop); −1 when one is none. */
export function smallInteger(frame: Uint8Array, start: number, stop: number): number {
  let value = 0;
  for (let p = start; p < stop; p++) {
    const digit = frame[p] - 48;
    if (digit < 0 || digit > 9) return -1;
    value = (value * 10 + digit) | 0;
  }
  return value;
}
