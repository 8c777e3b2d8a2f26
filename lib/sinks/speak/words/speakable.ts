/**
 * Any text into words for a voice, each change with its reason. Market talk is spelled out; control characters and what
 * speech programs take for commands ([[…]], <…>, !-!, a leading dash) do not survive, so no text is an instruction.
 * The result is one line of letters, digits and plain punctuation.
 */
import { spelled, splitPair, spokenSymbol } from "./spoken_symbol.ts";
import { spokenNumber, wordsOfNumber } from "./spoken_number.ts";
import { spokenDate, spokenTime, spokenZone } from "./spoken_time.ts";

export interface Change {
  from: string;
  to: string;
  reason: string;
}
export interface Speakable {
  /** Empty when nothing of the text can be said. */
  spoken: string;
  changes: Change[];
}

const MAX_TEXT = 100_000;
/** A longer word is no word; a voice would be busy with it for minutes. */
const MAX_WORD = 60;
/** Characters between two spaces that are looked at. */
const MAX_RAW_WORD = 300;

const OPENING = new Set("([{<\"'“‘«");
const CLOSING = new Set(")]}>\"'”’»");
const PAUSES = new Set(",.;:!?");

/** Written large for emphasis, or words like any other. */
const ORDINARY = new Set(
  ("A I AM PM OK UP DOWN ON OFF IN OUT IS ARE NO NOT THE AND OR AT TO OF FOR BY FROM FEED FEEDS DEAD GAP ALERT WARNING " +
    "ERROR BUY SELL BID ASK NEW HIGH LOW ABOVE BELOW OVER UNDER LIVE BACK STOP").split(" "),
);
const SIGNS: Readonly<Record<string, string>> = {
  ">": "above",
  "<": "below",
  ">=": "at least",
  "<=": "at most",
  "=": "equals",
  "&": "and",
  "@": "at",
  "+": "plus",
  "→": "to",
  "->": "to",
  "≥": "at least",
  "≤": "at most",
};
const PARTED_SYMBOL = /^[A-Z\d]{1,12}(?:[/_-][A-Z\d]{1,12}){1,5}$/;
const TICKER = /^\^?([A-Z][A-Z\d]{0,9})((?:[.=-][A-Z]{1,2})?)$/;
const LOWER_PAIR = /^[a-z\d]{2,8}(usdt|usdc|usd)$/;

/** `symbols`: words that are known to be names of instruments, whatever they look like. */
export function speakable(text: string, symbols: readonly string[] = []): Speakable {
  const changes: Change[] = [];
  const out: string[] = [];
  for (const word of wordsOf(text)) {
    const spoken = spokenWord(word, symbols, changes);
    if (spoken !== "") out.push(spoken);
  }
  return { spoken: out.join(" ").replace(/ +([,.;:!?])/g, "$1"), changes };
}

/** What a voice needs at most to say this, in words: letters count one each, numbers as they are read out. */
export function countWords(spoken: string): number {
  let count = 0;
  for (const word of spoken.split(/\s+/)) {
    const number = /^\d+(?:\.\d+)?/.exec(word)?.[0];
    if (number !== undefined) count += wordsOfNumber(number);
    else if (word !== "") count++;
  }
  return count;
}

function wordsOf(text: string): string[] {
  return text.slice(0, MAX_TEXT).toWellFormed().normalize("NFC")
    .replace(/[\u2212\u2010\u2011]/g, "-")
    .replace(/(\d) ?([ap])\.?m\b\.?/gi, "$1$2m")
    .split(/[\s\p{C}]+/u)
    .filter((word) => word !== "")
    .map((word) => word.slice(0, MAX_RAW_WORD));
}

function spokenWord(raw: string, symbols: readonly string[], changes: Change[]): string {
  const change = (to: string, reason: string, end = "") => {
    if (to !== raw.slice(0, raw.length - end.length)) changes.push({ from: raw, to, reason });
    return to + end;
  };
  // a unit or a sign may itself be made of punctuation, and so may a known name
  if (symbols.includes(raw)) return change(spokenSymbol(raw), "symbol");
  if (Object.hasOwn(SIGNS, raw)) return change(SIGNS[raw], "sign");
  const { start, word, end } = partsOf(raw);
  if (word === "") return change("", "marks left out");
  const pause = [...end].find((mark) => PAUSES.has(mark)) ?? "";
  if (symbols.includes(word)) return change(spokenSymbol(word), "symbol", pause);
  const known = knownForm(word);
  if (known) return change(known.spoken, known.reason, pause);
  const plain = withoutMarks(word);
  if (plain !== word || start !== "" || pause !== end) return change(plain, "marks left out", plain && pause);
  return raw;
}

/** A word without the quotes, brackets and pauses around it. */
function partsOf(raw: string): { start: string; word: string; end: string } {
  let from = 0;
  let to = raw.length;
  while (from < to && OPENING.has(raw[from])) from++;
  while (to > from && (CLOSING.has(raw[to - 1]) || PAUSES.has(raw[to - 1]))) to--;
  return { start: raw.slice(0, from), word: raw.slice(from, to), end: raw.slice(to) };
}

function knownForm(word: string): { spoken: string; reason: string } | undefined {
  const number = spokenNumber(word);
  if (number) return number;
  const time = spokenTime(word) ?? spokenDate(word);
  if (time !== undefined) return { spoken: time, reason: "time" };
  const zone = spokenZone(word);
  if (zone !== undefined) return { spoken: zone, reason: "time zone" };
  if (/^[a-z][a-z+.-]*:\/\//i.test(word)) return { spoken: "a link", reason: "link" };
  if (/^#\d+$/.test(word)) return { spoken: `number ${word.slice(1)}`, reason: "number" };
  if (/^\$[A-Za-z][A-Za-z.]{0,9}$/.test(word)) {
    return { spoken: spokenSymbol(word.slice(1)), reason: "ticker" };
  }
  return spokenName(word);
}

function spokenName(word: string): { spoken: string; reason: string } | undefined {
  if (PARTED_SYMBOL.test(word) && /[A-Z]/.test(word)) {
    const parts = word.split(/[/_-]/);
    const are_words = parts.every((part) => ORDINARY.has(part));
    return are_words
      ? { spoken: parts.join(" ").toLowerCase(), reason: "word in capitals" }
      : { spoken: spokenSymbol(word), reason: "pair" };
  }
  if (LOWER_PAIR.test(word)) return { spoken: spokenSymbol(word), reason: "pair" };
  if (/^[A-Z\d]{5,20}$/.test(word) && /[A-Z]/.test(word) && splitPair(word)) {
    return { spoken: spokenSymbol(word), reason: "pair" };
  }
  if (ORDINARY.has(word)) {
    return { spoken: word.length > 1 ? word.toLowerCase() : word, reason: "word in capitals" };
  }
  if (TICKER.test(word)) return { spoken: spokenSymbol(word), reason: "ticker" };
  if (/^[A-Z]+$/.test(word) && word.length > 10) {
    return { spoken: word.toLowerCase(), reason: "word in capitals" };
  }
  if (/^\d+[A-Z]+$/.test(word)) return { spoken: spelled(word), reason: "ticker" };
  return undefined;
}

/** Letters, digits, and inner apostrophes, points and commas; everything else parts words. */
function withoutMarks(word: string): string {
  return word.replace(/[^\p{L}\p{M}\p{N}'.,]+/gu, " ").replace(/(^|\s)[',.]+|[',.]+(?=\s|$)/g, "$1").trim()
    .split(/\s+/).map((part) => part.slice(0, MAX_WORD)).join(" ");
}
