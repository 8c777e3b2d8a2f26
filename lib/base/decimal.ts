/**
 * Decimals kept in doubles. A decimal of up to 15 significant digits survives the trip text → double → text unchanged
 * (IEEE 754: DBL_DIG = 15), so doubles serve as keys and values. Longer ones keep their text beside them.
 * Dividing an exact integer by an exact power of ten rounds correctly (both < 2^53, power ≤ 10^22); multiplying by a
 * negative power does not, hence no `* 1e-8` anywhere.
 */

/** Exact powers of ten: 10^0 … 10^22 are the ones a double holds. */
export const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

/** Integers below this have at most 15 digits. */
export const EXACT_MANTISSA_LIMIT = 1e15;

/** Below this a double has fewer than 15 digits, down to none at all: 1e-400 would be read as 0. */
const SMALLEST_NORMAL = 2 ** -1022;

const PLAIN_DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?0*\d{1,4}))?$/;

/** A decimal text as exact parts: value = mantissa digits × 10^-decimals. Undefined when it is no finite decimal. */
function decimalParts(text: string): { negative: boolean; digits: string; decimals: number } | undefined {
  const match = PLAIN_DECIMAL.exec(text);
  if (!match || (match[2] === "" && (match[3] ?? "") === "")) return undefined;
  const fraction = match[3] ?? "";
  let digits = (match[2] + fraction).replace(/^0+/, "");
  let decimals = fraction.length - Number(match[4] ?? 0);
  const trailing = /0*$/.exec(digits)![0].length;
  digits = digits.slice(0, digits.length - trailing);
  decimals -= trailing;
  if (digits === "") return { negative: false, digits: "0", decimals: 0 };
  return { negative: match[1] === "-", digits, decimals };
}

/**
 * Reads a decimal text of any length. `text` is set only when the double alone would not give it back (more than 15
 * significant digits). Undefined when the text is not a finite decimal, or not 0 and nearer to it than 2^-1022.
 */
export function readDecimal(text: string): { value: number; decimals: number; text?: string } | undefined {
  const parts = decimalParts(text);
  if (!parts) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  if (parts.digits !== "0" && Math.abs(value) < SMALLEST_NORMAL) return undefined;
  const decimals = Math.max(0, parts.decimals);
  return parts.digits.length <= 15 ? { value, decimals } : { value, decimals, text: plainDecimal(text) };
}

/** The shortest plain form of a decimal text: no exponent, no leading or trailing zeros ("1e-7" → "0.0000001"). */
export function plainDecimal(text: string): string {
  const parts = decimalParts(text);
  if (!parts) {
    throw new RangeError(`decimal: ${JSON.stringify(text.slice(0, 40))}, want digits with at most one point`);
  }
  const { negative, digits, decimals } = parts;
  const sign = negative ? "-" : "";
  if (decimals <= 0) return sign + digits + "0".repeat(digits === "0" ? 0 : -decimals);
  const padded = digits.padStart(decimals + 1, "0");
  return `${sign}${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

/** A double in its shortest plain decimal form; `String(1e-7)` is "1e-7", this is "0.0000001". */
export function formatDecimal(value: number): string {
  const text = String(value);
  return text.includes("e") ? plainDecimal(text) : text;
}
