/**
 * RFC 3339 times straight from frame bytes: "2023-10-06T17:35:55.440295Z" or with an offset ("-05:00"), up to nine digits
 * of fraction. A venue's frames share their day, so the calendar is asked once a day.
 */
const ZERO = 48;
const DAY_MS = 86_400_000;
/** Microseconds of later years are no exact integers in a double. */
const YEARS = { from: 1970, below: 2200 };

export class IsoTimeReader {
  #day = -1;
  #day_ms = NaN;

  /** Unix epoch, microseconds (a finer fraction is cut off); NaN when the text is no such time. */
  microseconds(frame: Uint8Array, start: number, stop: number): number {
    // The shortest is "2023-10-06T17:35:55Z".
    if (stop - start < 20 || frame[start + 4] !== 45 || frame[start + 7] !== 45) return NaN;
    // Some channels write a space for the T.
    if ((frame[start + 10] | 32) !== 116 && frame[start + 10] !== 32) return NaN;
    const ahead_min = offset_minutes(frame, start + 19, stop);
    if (frame[start + 13] !== 58 || frame[start + 16] !== 58) return NaN;
    const day = two(frame, start) * 1_000_000 + two(frame, start + 2) * 10_000 + two(frame, start + 5) * 100 +
      two(frame, start + 8);
    if (day !== this.#day) this.#setDay(day);
    const hour = two(frame, start + 11);
    const minute = two(frame, start + 14);
    const second = two(frame, start + 17);
    if (!(hour < 24 && minute < 60 && second <= 60)) return NaN;
    return (this.#day_ms + ((hour * 60 + minute - ahead_min) * 60 + second) * 1000) * 1000 +
      fraction_us(frame, start + 19);
  }
  /** `day` is YYYYMMDD, NaN when it was no number. */
  #setDay(day: number): void {
    const [year, month, date] = [Math.floor(day / 10_000), Math.floor(day / 100) % 100, day % 100];
    const day_ms = Date.UTC(year, month - 1, date);
    // A 31st of June is no time either.
    const is_real = day_ms % DAY_MS === 0 && new Date(day_ms).getUTCDate() === date && month >= 1 &&
      month <= 12;
    this.#day = is_real ? day : -1;
    this.#day_ms = is_real && year >= YEARS.from && year < YEARS.below ? day_ms : NaN;
  }
}

function two(frame: Uint8Array, at: number): number {
  const tens = frame[at] - ZERO;
  const ones = frame[at + 1] - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/**
 * How far local time is ahead of UTC. What follows the seconds: a fraction of up to nine digits or none, then "Z" or an
 * offset; NaN for anything else.
 */
function offset_minutes(frame: Uint8Array, at: number, stop: number): number {
  if (frame[at] === 46) {
    const first = ++at;
    while (at < stop && frame[at] >= ZERO && frame[at] <= 57) at++;
    if (at === first || at - first > 9) return NaN;
  }
  if (at + 1 === stop) return (frame[at] | 32) === 122 ? 0 : NaN;
  if (at + 6 !== stop || frame[at + 3] !== 58) return NaN;
  const hours = two(frame, at + 1);
  const minutes = two(frame, at + 4);
  if (!(hours < 24 && minutes < 60)) return NaN;
  if (frame[at] === 43) return hours * 60 + minutes;
  return frame[at] === 45 ? -(hours * 60 + minutes) : NaN;
}

function fraction_us(frame: Uint8Array, at: number): number {
  if (frame[at] !== 46) return 0;
  let value = 0;
  for (let i = 1; i <= 6; i++) {
    const digit = frame[at + i] - ZERO;
    if (!(digit >= 0 && digit <= 9)) return value * 10 ** (7 - i);
    value = value * 10 + digit;
  }
  return value;
}
