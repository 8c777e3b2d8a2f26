/**
 * An independent reading of Binance frames: JSON.parse and plain objects, written from the venue's documents alone. It is
 * the oracle of the byte scanner; it shares no code with lib/feeds. Undefined: the frame carries no event.
 */
export interface Read {
  kind: "book_delta" | "quote" | "trade" | "ticker" | "candle";
  symbol: string;
  [field: string]: unknown;
}

type Json = Record<string, unknown>;

/** The shortest plain text of a decimal, by BigInt; undefined when it is none or a double cannot hold it. */
function decimalText(value: unknown): string | undefined {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?0*\d{1,4}))?$/.exec(textOf(value));
  if (!match || match[2] + match[3] === "") return undefined;
  const number = Number(match[0]);
  let digits = BigInt(match[2] + match[3]);
  if (!Number.isFinite(number) || (digits !== 0n && Math.abs(number) < 2 ** -1022)) return undefined;
  if (digits === 0n) return "0";
  let scale = match[3].length - Number(match[4] ?? 0);
  while (digits % 10n === 0n) {
    digits /= 10n;
    scale--;
  }
  const sign = match[1] === "-" ? "-" : "";
  if (scale <= 0) return sign + String(digits * 10n ** BigInt(-scale));
  const text = String(digits).padStart(scale + 1, "0");
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}
export function hasMoreThan15Digits(plain: string): boolean {
  return plain.replace(/[-.]/g, "").replace(/^0+|0+$/g, "").length > 15;
}

function unsigned(value: unknown): number | undefined {
  const text = textOf(value);
  if (!/^\d{1,16}$/.test(text) || Number(text) > Number.MAX_SAFE_INTEGER) return undefined;
  return Number(text);
}
function time(value: unknown): number | undefined {
  const read = unsigned(value);
  if (!read) return undefined;
  return read >= 1e14 ? read / 1000 : read;
}
/** [price text, quantity text] rows; undefined when it is no list of levels. */
function levels(value: unknown): [string, string][] | undefined {
  if (!Array.isArray(value)) return undefined;
  const rows: [string, string][] = [];
  for (const row of value) {
    if (!Array.isArray(row) || row.length < 2) return undefined;
    const [price, quantity] = [decimalText(row[0]), decimalText(row[1])];
    if (price === undefined || quantity === undefined) return undefined;
    if (price.startsWith("-") || quantity.startsWith("-") || hasMoreThan15Digits(price)) return undefined;
    rows.push([price, quantity]);
  }
  return rows;
}
const positive = (value: unknown): string | undefined => {
  const text = decimalText(value);
  return text === undefined || text.startsWith("-") ? undefined : text;
};

class NumberText {
  constructor(readonly text: string) {}
}
/** Numbers keep their text: `1.00` is no id. */
function numberAsWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" ? new NumberText(context!.source!) : value;
}
const textOf = (value: unknown): string =>
  value instanceof NumberText ? value.text : typeof value === "string" ? value : "?";

function envelope(frame: Uint8Array): { stream?: string; data: Json } | undefined {
  let message: Json;
  try {
    message = JSON.parse(new TextDecoder().decode(frame), numberAsWritten);
  } catch {
    return undefined;
  }
  if (message === null || typeof message !== "object" || Array.isArray(message)) return undefined;
  if (["result", "error", "code", "id", "msg"].some((key) => key in message)) return undefined;
  const { data } = message;
  if (data === null || typeof data !== "object" || Array.isArray(data)) return { data: message };
  return { stream: message.stream as string | undefined, data: data as Json };
}

export function readBinanceFrame(frame: Uint8Array, needs_previous_id: boolean): Read | undefined {
  const read = envelope(frame);
  if (!read) return undefined;
  const { stream, data } = read;
  if (typeof data.s !== "string" || data.s === "" || new TextEncoder().encode(data.s).length > 64) {
    return undefined;
  }
  // A symbol that is no UTF-8 is nobody's.
  if (data.s.includes("\uFFFD")) return undefined;
  if ("st" in data && textOf(data.st) !== "1") return undefined;
  const head = { symbol: data.s, sent_ms: time(data.E), exchange_ms: time(data.T) };
  if (data.e === "depthUpdate") return readDepth(data, stream, head, needs_previous_id);
  if (data.e === "bookTicker" || (!("e" in data) && "B" in data)) return readQuote(data, head);
  if (data.e === "aggTrade") return readTrade(data, "a", head);
  if (data.e === "trade") return readTrade(data, "t", head);
  if (data.e === "24hrTicker") return readTicker(data, head);
  return data.e === "kline" ? readCandle(data, head) : undefined;
}

interface Head {
  symbol: string;
  sent_ms?: number;
  exchange_ms?: number;
}

function readDepth(data: Json, stream: unknown, head: Head, needs_previous_id: boolean): Read | undefined {
  if (stream !== undefined && !/^[^@]*@depth(@.*)?$/s.test(String(stream))) return undefined;
  const [first_id, last_id, previous_id] = [data.U, data.u, data.pu].map(unsigned);
  const [bids, asks] = [levels(data.b), levels(data.a)];
  if (first_id === undefined || last_id === undefined || first_id > last_id || !bids || !asks) {
    return undefined;
  }
  if (needs_previous_id && previous_id === undefined) return undefined;
  return { kind: "book_delta", ...head, first_id, last_id, previous_id, bids, asks };
}
function readQuote(data: Json, head: Head): Read | undefined {
  const update_id = unsigned(data.u);
  const [bid, bid_quantity, ask, ask_quantity] = [data.b, data.B, data.a, data.A].map(positive);
  if (update_id === undefined || !bid || !bid_quantity || !ask || !ask_quantity) return undefined;
  return { kind: "quote", ...head, update_id, bid, bid_quantity, ask, ask_quantity };
}
function readTrade(data: Json, id: string, head: Head): Read | undefined {
  const trade_id = unsigned(data[id]);
  const [price, quantity] = [data.p, data.q].map(positive);
  if (trade_id === undefined || !price || !quantity || !/^(true|false)$/.test(String(data.m))) {
    return undefined;
  }
  const fills = id === "a" ? [data.f, data.l].map(unsigned) : [];
  const aggressor = String(data.m) === "true" ? "sell" : "buy";
  return { kind: "trade", ...head, trade_id, price, quantity, aggressor, fills };
}

const TICKER_DECIMALS = {
  price_change: "p",
  price_change_percent: "P",
  weighted_average_price: "w",
  last_price: "c",
  last_quantity: "Q",
  bid_price: "b",
  bid_quantity: "B",
  ask_price: "a",
  ask_quantity: "A",
  open_price: "o",
  high_price: "h",
  low_price: "l",
  volume: "v",
  quote_volume: "q",
};
function readTicker(data: Json, head: Head): Read | undefined {
  const fields: Json = { open_time_ms: time(data.O), close_time_ms: time(data.C) };
  for (const [name, key] of Object.entries(TICKER_DECIMALS)) {
    const text = decimalText(data[key]);
    fields[name] = text === undefined ? undefined : Number(text);
  }
  const counts = {
    first_trade_id: unsigned(data.F),
    last_trade_id: unsigned(data.L),
    trade_count: unsigned(data.n),
  };
  if (fields.last_price === undefined) return undefined;
  return { kind: "ticker", symbol: head.symbol, sent_ms: head.sent_ms, ...fields, ...counts };
}
function readCandle(data: Json, head: Head): Read | undefined {
  const bar = data.k as Json | null;
  if (bar === null || typeof bar !== "object") return undefined;
  const number = (key: string) => {
    const text = decimalText(bar[key]);
    return text === undefined ? undefined : Number(text);
  };
  const [open_time, close_time, ...prices] = ["t", "T", "o", "h", "l", "c", "v"].map(number);
  const [open, high, low, close, volume] = prices;
  if (open_time === undefined || close_time === undefined || prices.includes(undefined)) return undefined;
  if (typeof bar.i !== "string" || typeof bar.x !== "boolean") return undefined;
  const ms = (value: number) => value >= 1e14 ? value / 1000 : value;
  return {
    kind: "candle",
    symbol: head.symbol,
    sent_ms: head.sent_ms,
    interval: bar.i,
    open_time_ms: ms(open_time),
    close_time_ms: ms(close_time),
    ...{ open, high, low, close, volume, quote_volume: number("q"), trade_count: number("n"), closed: bar.x },
  };
}
