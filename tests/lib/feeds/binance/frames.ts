/** Frames written from the venue's documents, and a generator of legal variations of them. Values are invented. */
import type { Random } from "../../../../lib/base/random.ts";

export const DEPTH = {
  stream: "btcusdt@depth@100ms",
  data: {
    e: "depthUpdate",
    E: 1793628600105,
    T: 1793628600098,
    s: "BTCUSDT",
    ps: "BTCUSDT",
    st: 1,
    U: 9000000100,
    u: 9000000160,
    pu: 9000000092,
    b: [["64010.10", "3.120"], ["64009.90", "0.000"]],
    a: [["64010.20", "1.004"]],
  },
};
export const SPOT_DEPTH = {
  stream: "btcusdt@depth@100ms",
  data: { e: "depthUpdate", E: 1793628600105, s: "BTCUSDT", U: 157, u: 160, b: [["64010.10", "3.1"]], a: [] },
};
export const QUOTE = {
  stream: "btcusdt@bookTicker",
  data: {
    e: "bookTicker",
    u: 9000000160,
    E: 1793628600102,
    T: 1793628600098,
    s: "BTCUSDT",
    ps: "BTCUSDT",
    st: 1,
    b: "64010.10",
    B: "3.120",
    a: "64010.20",
    A: "1.004",
  },
};
export const SPOT_QUOTE = {
  stream: "btcusdt@bookTicker",
  data: { u: 400900217, s: "BTCUSDT", b: "64010.10", B: "3.120", a: "64010.20", A: "1.004" },
};
export const AGG_TRADE = {
  stream: "btcusdt@aggTrade",
  data: {
    e: "aggTrade",
    E: 1793628600201,
    s: "BTCUSDT",
    st: 1,
    a: 3100000001,
    p: "64010.10",
    q: "0.250",
    nq: "0.250",
    f: 7200000001,
    l: 7200000003,
    T: 1793628600155,
    m: true,
  },
};
export const TRADE = {
  stream: "btcusdt@trade",
  data: {
    e: "trade",
    E: 1793628600200,
    s: "BTCUSDT",
    t: 880001,
    p: "64011.02",
    q: "0.00310",
    T: 1793628600199,
    m: false,
    M: true,
  },
};
export const TICKER = {
  stream: "btcusdt@ticker",
  data: {
    e: "24hrTicker",
    E: 1793628600400,
    s: "BTCUSDT",
    ps: "BTCUSDT",
    st: 1,
    p: "-812.40",
    P: "-1.285",
    w: "63544.02",
    c: "64010.10",
    Q: "0.250",
    o: "63197.70",
    h: "64420.00",
    l: "62801.00",
    v: "151203.441",
    q: "9608074321.55",
    O: 1793542200000,
    C: 1793628600398,
    F: 7190000000,
    L: 7200000003,
    n: 3214455,
  },
};
export const KLINE = {
  stream: "btcusdt@kline_1m",
  data: {
    e: "kline",
    E: 1793628600250,
    s: "BTCUSDT",
    st: 1,
    k: {
      t: 1793628600000,
      T: 1793628659999,
      s: "BTCUSDT",
      i: "1m",
      f: 7200000001,
      L: 7200000003,
      o: "64010.20",
      c: "64010.10",
      h: "64010.20",
      l: "64010.10",
      v: "0.250",
      n: 3,
      x: false,
      q: "16002.52",
      V: "0.000",
      Q: "0.00",
      B: "0",
    },
  },
};
export const ALL = [DEPTH, SPOT_DEPTH, QUOTE, SPOT_QUOTE, AGG_TRADE, TRADE, TICKER, KLINE];

const encoder = new TextEncoder();
export const bytesOf = (value: unknown): Uint8Array =>
  encoder.encode(typeof value === "string" ? value : JSON.stringify(value));

/** Any JSON text of the value: white space anywhere, keys in any order, symbols with an escape. */
export function looseJson(value: unknown, random: Random): string {
  const space = () => random.chance(0.15) ? random.pick([" ", "\n", "\t", "\r\n", "  "]) : "";
  if (typeof value === "string") {
    const text = JSON.stringify(value);
    if (value !== "BTCUSDT" || !random.chance(0.1)) return text;
    const at = random.integer(0, value.length - 1);
    const escaped = `\\u${value.charCodeAt(at).toString(16).padStart(4, "0")}`;
    return JSON.stringify(value.slice(0, at)).slice(0, -1) + escaped +
      JSON.stringify(value.slice(at + 1)).slice(1);
  }
  if (Array.isArray(value)) {
    return `[${space()}${
      value.map((one) => looseJson(one, random)).join(`${space()},${space()}`)
    }${space()}]`;
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, one]) =>
    `${JSON.stringify(key)}${space()}:${space()}${looseJson(one, random)}`
  );
  if (random.chance(0.3)) entries.sort(() => random.unit() - 0.5);
  return `{${space()}${entries.join(`${space()},${space()}`)}${space()}}`;
}

function randomDecimal(random: Random): string {
  const digits = random.chance(0.05) ? random.integer(16, 22) : random.integer(1, 12);
  let text = Array.from({ length: digits }, () => random.integer(0, 9)).join("");
  if (random.chance(0.8)) {
    const point = random.integer(1, text.length);
    text = `${text.slice(0, point)}.${text.slice(point)}`;
  }
  if (random.chance(0.05)) {
    text += `${random.pick(["e", "E"])}${random.pick(["", "-", "+"])}${random.integer(0, 12)}`;
  }
  return text.endsWith(".") ? text + "0" : text;
}

function junk(random: Random, depth = 0): unknown {
  if (depth > 3 || random.chance(0.5)) {
    return random.pick([null, true, false, 0, -1.5e-7, 12, "text", 'quo"te\\', "}]{[", "é😀", "", [], {}]);
  }
  const inner = Array.from({ length: random.integer(0, 3) }, () => junk(random, depth + 1));
  if (random.chance(0.5)) return inner;
  const keys = ["a", "b", "e", "s", "data", "bids", "x", "stream", "u"];
  return Object.fromEntries(inner.map((one) => [random.pick(keys), one]));
}

/** A frame of one of the known kinds with other numbers, unknown keys with nested junk, extra columns. */
export function randomFrame(random: Random): Record<string, unknown> {
  const { stream, data } = structuredClone(random.pick(ALL)) as {
    stream: string;
    data: Record<string, unknown>;
  };
  const levels = () =>
    Array.from({ length: random.integer(0, random.chance(0.1) ? 200 : 6) }, () => {
      const row: unknown[] = [randomDecimal(random), random.chance(0.3) ? "0.000" : randomDecimal(random)];
      if (random.chance(0.02)) row.push(junk(random));
      return row;
    });
  for (const [key, value] of Object.entries(data)) {
    if (Array.isArray(value)) data[key] = levels();
    else if (typeof value === "string" && /^-?\d/.test(value) && random.chance(0.7)) {
      data[key] = randomDecimal(random);
    } else if (typeof value === "number" && key !== "st" && random.chance(0.2)) {
      data[key] = value + random.integer(-9, 9);
    }
  }
  if (random.chance(0.05)) data[random.pick(Object.keys(data))] = junk(random);
  if (random.chance(0.05)) delete data[random.pick(Object.keys(data))];
  for (const name of ["zz", "rpi", "x9", "Zed", "W"]) if (random.chance(0.1)) data[name] = junk(random);
  if (random.chance(0.4)) return data;
  return random.chance(0.1) ? { stream, data, extra: junk(random), E: 1 } : { stream, data };
}
