/**
 * Names of instruments as a person says them: letters one by one, pairs in two parts, money of states by its name
 * ("BTCUSDT" → "B T C, U S dollar T"). What is no known pair is spelled whole; nothing is guessed beyond its quote.
 */

/** Quote currencies that venues write behind the base without a mark between, the longest first. */
const QUOTES = [
  "FDUSD",
  "TUSD",
  "USDT",
  "USDC",
  "BUSD",
  "USD",
  "EUR",
  "GBP",
  "JPY",
  "CHF",
  "AUD",
  "CAD",
  "TRY",
  "BTC",
  "ETH",
];

const CURRENCY_NAMES: Readonly<Record<string, string>> = {
  USD: "U S dollar",
  USDT: "U S dollar T",
  USDC: "U S dollar C",
  EUR: "euro",
  GBP: "pound",
  JPY: "yen",
  CHF: "Swiss franc",
  AUD: "Australian dollar",
  CAD: "Canadian dollar",
  NZD: "New Zealand dollar",
};

const PART_NAMES: Readonly<Record<string, string>> = {
  PERP: "perpetual",
  PERPETUAL: "perpetual",
  SWAP: "swap",
  SPOT: "spot",
};

/** More characters than any venue's symbol has: what is longer is cut. */
const MAX_SYMBOL = 40;

/** "AAPL" → "A A P L", "1000PEPE" → "1000 P E P E". */
export function spelled(text: string): string {
  return text.toUpperCase().match(/\d+|\p{L}/gu)?.join(" ") ?? "";
}

/** A whole symbol, whatever the venue puts between its parts. */
export function spokenSymbol(symbol: string): string {
  const parts = symbol.slice(0, MAX_SYMBOL).toUpperCase().split(/[^\p{L}\d]+/u).filter((part) => part !== "");
  if (parts.length === 0) return "";
  const [first, ...others] = parts;
  const pair = others.length === 0 || !(others[0] in CURRENCY_NAMES) ? splitPair(first) : undefined;
  const spoken = pair ? [spokenPart(pair[0]), spokenPart(pair[1])] : [spokenPart(first)];
  return [...spoken, ...others.map(spokenPart)].join(", ");
}

/** ["BTC", "USDT"] for "BTCUSDT"; undefined where no known quote stands at the end of something. */
export function splitPair(symbol: string): [base: string, quote: string] | undefined {
  const quote = QUOTES.find((one) => symbol.endsWith(one) && symbol.length - one.length >= 2);
  return quote === undefined ? undefined : [symbol.slice(0, -quote.length), quote];
}

function spokenPart(part: string): string {
  return CURRENCY_NAMES[part] ?? PART_NAMES[part] ?? spelled(part);
}
