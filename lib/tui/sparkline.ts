/** A series as one line of small bars. From zero: two lines of one screen can be compared; the newest stands right. */
import type { Series } from "./screen.ts";

const BARS = "▁▂▃▄▅▆▇█";
/** Where the locale has no UTF-8. */
const PLAIN_BARS = "_.-:=+*#";

export function sparkline(series: Series, width: number, unicode: boolean): string {
  const shown = series.slice(-width);
  const bars = unicode ? BARS : PLAIN_BARS;
  const top = shown.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  const line = shown.map((value) => {
    if (value === undefined) return " ";
    if (top <= 0) return bars[0];
    return bars[Math.max(0, Math.min(bars.length - 1, Math.ceil(value / top * bars.length) - 1))];
  });
  return line.join("").padStart(width);
}
