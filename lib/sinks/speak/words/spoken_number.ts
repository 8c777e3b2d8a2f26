/**
 * Numbers, money and measures as words that every voice reads alike: signs, percent, scientific notation and units are
 * spelled out, digits stay digits. No digit is rounded away.
 */

const NUMBER = String.raw`\d+(?:,\d{3})*(?:\.\d+)?|\.\d+`;
const SIGN = "[+-]?";
const SCALES: Readonly<Record<string, string>> = {
  K: "thousand",
  k: "thousand",
  M: "million",
  B: "billion",
  bn: "billion",
  T: "trillion",
};
const MONEY: Readonly<Record<string, readonly [one: string, many: string, cent?: string]>> = {
  "$": ["dollar", "dollars", "cent"],
  "€": ["euro", "euros", "cent"],
  "£": ["pound", "pounds"],
  "¥": ["yen", "yen"],
  "₿": ["bitcoin", "bitcoins"],
};
const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  "%": ["percent", "percent"],
  "‰": ["per mille", "per mille"],
  bp: ["basis point", "basis points"],
  bps: ["basis point", "basis points"],
  ms: ["millisecond", "milliseconds"],
  "µs": ["microsecond", "microseconds"],
  "μs": ["microsecond", "microseconds"],
  us: ["microsecond", "microseconds"],
  ns: ["nanosecond", "nanoseconds"],
  s: ["second", "seconds"],
  m: ["minute", "minutes"],
  min: ["minute", "minutes"],
  h: ["hour", "hours"],
  d: ["day", "days"],
  w: ["week", "weeks"],
  x: ["times", "times"],
};
const SCIENTIFIC = new RegExp(`^(${SIGN})(${NUMBER})[eE](${SIGN})(\\d{1,4})$`);
const AMOUNT = new RegExp(`^(${SIGN})([$€£¥₿])(${SIGN})(${NUMBER})(K|k|M|B|bn|T)?$`);
const SCALED = new RegExp(`^(${SIGN})(${NUMBER})(K|k|M|B|bn|T)$`);
const MEASURE = new RegExp(`^(${SIGN})(${NUMBER})(%|‰|bps?|ms|[µμun]s|s|min|m|h|d|w|x)$`);
const PLAIN = new RegExp(`^(${SIGN})(${NUMBER})$`);
const RANGE = new RegExp(`^(${NUMBER})[-–](${NUMBER})(%?)$`);

export interface SpokenNumber {
  spoken: string;
  reason: "number" | "money" | "percent" | "scientific notation" | "unit" | "range";
}

/** Undefined when the word is no number of any of these forms. */
export function spokenNumber(word: string): SpokenNumber | undefined {
  return plain(word) ?? amount(word) ?? measure(word) ?? scientific(word) ?? scaled(word) ?? range(word);
}

function plain(word: string): SpokenNumber | undefined {
  const found = PLAIN.exec(word);
  return found ? { spoken: signed(found[1], digits(found[2])), reason: "number" } : undefined;
}
function scientific(word: string): SpokenNumber | undefined {
  const found = SCIENTIFIC.exec(word);
  if (!found) return undefined;
  const [, sign, mantissa, exponent_sign, exponent] = found;
  const power = `10 to the ${exponent_sign === "-" ? "minus " : ""}${Number(exponent)}`;
  const spoken = mantissa === "1" ? power : `${digits(mantissa)} times ${power}`;
  return { spoken: signed(sign, spoken), reason: "scientific notation" };
}
function amount(word: string): SpokenNumber | undefined {
  const found = AMOUNT.exec(word);
  if (!found || (found[1] !== "" && found[3] !== "")) return undefined;
  const [, sign, symbol, inner_sign, number, scale] = found;
  const [one, many, cent] = MONEY[symbol];
  const say = (spoken: string): SpokenNumber => ({
    spoken: signed(sign + inner_sign, spoken),
    reason: "money",
  });
  const value = digits(number);
  if (scale !== undefined) return say(`${value} ${SCALES[scale]} ${many}`);
  const [whole, fraction] = value.split(".");
  if (cent !== undefined && fraction?.length === 2) {
    const cents = Number(fraction);
    const rest = `${cents} ${cents === 1 ? cent : `${cent}s`}`;
    if (cents > 0) return say(whole === "0" ? rest : `${whole} ${whole === "1" ? one : many} and ${rest}`);
    return say(`${whole} ${whole === "1" ? one : many}`);
  }
  return say(`${value} ${value === "1" ? one : many}`);
}
function scaled(word: string): SpokenNumber | undefined {
  const found = SCALED.exec(word);
  if (!found) return undefined;
  return { spoken: signed(found[1], `${digits(found[2])} ${SCALES[found[3]]}`), reason: "number" };
}
function measure(word: string): SpokenNumber | undefined {
  const found = MEASURE.exec(word);
  if (!found) return undefined;
  const [, sign, number, unit] = found;
  const value = digits(number);
  const spoken = `${value} ${UNITS[unit][value === "1" ? 0 : 1]}`;
  return { spoken: signed(sign, spoken), reason: unit === "%" ? "percent" : "unit" };
}
function range(word: string): SpokenNumber | undefined {
  const found = RANGE.exec(word);
  if (!found) return undefined;
  const spoken = `${digits(found[1])} to ${digits(found[2])}${found[3] ? " percent" : ""}`;
  return { spoken, reason: "range" };
}

function signed(sign: string, spoken: string): string {
  return sign === "-" ? `minus ${spoken}` : sign === "+" ? `plus ${spoken}` : spoken;
}

/** Without marks between thousands, which not every voice takes for such; ".5" gets its zero. */
function digits(number: string): string {
  const text = number.replaceAll(",", "");
  return text.startsWith(".") ? `0${text}` : text;
}

/** How many words a voice says for digits with at most one point: never fewer, seldom more. */
export function wordsOfNumber(number: string): number {
  const [whole, fraction = ""] = number.split(".");
  let words = 0;
  for (let end = whole.length; end > 0; end -= 3) {
    const group = whole.slice(Math.max(0, end - 3), end).padStart(3, "0");
    const [hundreds, rest] = [group[0], group.slice(1)];
    if (hundreds !== "0") words += 2;
    if (Number(rest) > 0) words += Number(rest) <= 20 || Number(rest) % 10 === 0 ? 1 : 2;
    if (end < whole.length) words += 1;
  }
  return Math.max(words, 1) + (fraction === "" ? 0 : 1 + fraction.length);
}
