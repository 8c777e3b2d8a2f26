/** Numbers as people read them on a narrow screen: three significant digits and a unit. Absent is a dash, never 0. */
const ABSENT = "-";

function scaled(value: number, base: number, units: readonly string[]): string {
  let power = 0;
  let rest = Math.abs(value);
  while (rest >= (base === 1024 ? 1023.5 : 999.5) && power < units.length - 1) {
    rest /= base;
    power++;
  }
  const digits = power === 0 && Number.isInteger(rest) ? 0 : rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0;
  return `${value < 0 ? "-" : ""}${rest.toFixed(digits)}${units[power]}`;
}

/** 1234567 → "1.23M"; whole numbers below a thousand as they are. */
export function countText(value: number | undefined): string {
  if (value === undefined) return ABSENT;
  return scaled(value, 1000, ["", "k", "M", "G", "T"]);
}
/** Binary units, as memory is counted: "1.50Mi". */
export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) return ABSENT;
  return scaled(Math.round(bytes), 1024, ["B", "Ki", "Mi", "Gi", "Ti"]);
}
export function percentText(percent: number | undefined): string {
  if (percent === undefined) return ABSENT;
  return `${percent.toFixed(Math.abs(percent) < 99.95 && !Number.isInteger(percent) ? 1 : 0)}%`;
}
/** "85µs", "1.25ms", "15.0s". */
export function microsecondsText(us: number | undefined): string {
  if (us === undefined) return ABSENT;
  if (Math.abs(us) < 60_000_000) return scaled(us, 1000, ["µs", "ms", "s"]);
  return secondsText(us / 1e6);
}
/** "250ms", "4.2s", "12s", "3m05s", "4h10m", "12d03h". */
export function secondsText(seconds: number | undefined): string {
  if (seconds === undefined) return ABSENT;
  const whole = Math.floor(Math.abs(seconds));
  if (seconds !== 0 && Math.abs(seconds) < 0.9995) return `${Math.round(seconds * 1_000)}ms`;
  const sign = seconds < 0 ? "-" : "";
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${sign}${Math.abs(seconds) < 9.95 ? Math.abs(seconds).toFixed(1) : whole}s`;
  if (whole < 3_600) return `${sign}${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${sign}${Math.floor(whole / 3_600)}h${two(Math.floor(whole / 60) % 60)}m`;
  return `${sign}${Math.floor(whole / 86_400)}d${two(Math.floor(whole / 3_600) % 24)}h`;
}
