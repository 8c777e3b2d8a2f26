/**
 * Time as text with microseconds: "2024-08-08T12:00:00.123456Z". The host's own formatter stops at milliseconds.
 */

/**
 * @param time_us Unix epoch, microseconds; a fraction is cut off, so no text is ever later than its time
 * @throws RangeError outside the years that a Date knows
 */
export function isoMicroseconds(time_us: number): string {
  const whole_us = Math.floor(time_us);
  const ms = Math.floor(whole_us / 1000);
  const rest_us = whole_us - ms * 1000;
  return `${new Date(ms).toISOString().slice(0, -1)}${String(rest_us).padStart(3, "0")}Z`;
}
