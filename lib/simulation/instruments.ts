/**
 * What a symbol trades like. Known assets have a typical price in US dollars and a typical volatility, so any pair of
 * them ("ETHBTC", "EUR/JPY") is known too; well-known symbols carry their venues' own tick and lot. Any other name gets a
 * plausible instrument drawn from the name alone, the same on every run and machine.
 * Prices are typical magnitudes for a simulation, not quotations.
 */
import { POWERS_OF_TEN } from "../base/decimal.ts";
import { quoted, UserError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { Instrument } from "./instrument.ts";

interface Asset {
  usd: number;
  /** Annualised, as a fraction: 0.6 is 60 % a year. */
  volatility: number;
  kind: "crypto" | "currency" | "equity";
}

function assets(
  kind: Asset["kind"],
  rows: Record<string, [usd: number, volatility: number]>,
): [string, Asset][] {
  return Object.entries(rows).map(([name, [usd, volatility]]) => [name, { usd, volatility, kind }]);
}

const known_assets = new Map<string, Asset>([
  ...assets("currency", {
    USD: [1, 0],
    EUR: [1.08, 0.07],
    GBP: [1.27, 0.08],
    JPY: [0.0066, 0.1],
    CHF: [1.13, 0.08],
    AUD: [0.66, 0.1],
    NZD: [0.61, 0.1],
    CAD: [0.73, 0.07],
    SEK: [0.095, 0.1],
    NOK: [0.093, 0.11],
    SGD: [0.74, 0.05],
    MXN: [0.055, 0.13],
    ZAR: [0.054, 0.15],
    CNH: [0.14, 0.05],
    XAU: [2400, 0.15],
    XAG: [29, 0.28],
  }),
  ...assets("crypto", {
    USDT: [1, 0],
    USDC: [1, 0],
    FDUSD: [1, 0],
    BTC: [61_500, 0.55],
    ETH: [2650, 0.7],
    SOL: [155, 0.9],
    BNB: [520, 0.6],
    XRP: [0.6, 0.85],
    ADA: [0.45, 0.85],
    DOGE: [0.105, 0.95],
    AVAX: [22, 0.95],
    LINK: [10.5, 0.85],
    LTC: [62, 0.7],
    DOT: [4.6, 0.85],
    TRX: [0.128, 0.5],
    BCH: [340, 0.8],
    SHIB: [0.0000138, 1],
    PEPE: [0.0000078, 1.2],
  }),
  ...assets("equity", {
    AAPL: [214, 0.25],
    MSFT: [405, 0.24],
    NVDA: [105, 0.5],
    AMZN: [166, 0.32],
    GOOGL: [162, 0.28],
    META: [510, 0.36],
    TSLA: [198, 0.55],
    AMD: [135, 0.5],
    NFLX: [635, 0.35],
    JPM: [207, 0.22],
    SPY: [532, 0.14],
    QQQ: [450, 0.18],
  }),
]);

interface Grid {
  price_decimals: number;
  quantity_decimals: number;
}

/** Ticks and lots as the venues set them, where the rule below would give something else. */
const known_grids = new Map<string, Grid>(Object.entries({
  BTCUSD: { price_decimals: 2, quantity_decimals: 8 },
  ETHUSD: { price_decimals: 2, quantity_decimals: 8 },
  ADAUSD: { price_decimals: 4, quantity_decimals: 2 },
  SOLUSD: { price_decimals: 2, quantity_decimals: 6 },
  BTCUSDT: { price_decimals: 1, quantity_decimals: 3 },
  ETHUSDT: { price_decimals: 2, quantity_decimals: 3 },
  SOLUSDT: { price_decimals: 3, quantity_decimals: 0 },
  BNBUSDT: { price_decimals: 2, quantity_decimals: 2 },
  XRPUSDT: { price_decimals: 4, quantity_decimals: 1 },
  ADAUSDT: { price_decimals: 4, quantity_decimals: 0 },
  DOGEUSDT: { price_decimals: 5, quantity_decimals: 0 },
  ETHBTC: { price_decimals: 5, quantity_decimals: 4 },
}));

/** Typical order size in US dollars, by kind of instrument. */
const typical_order_usd = { crypto: 3_000, currency: 400_000, equity: 15_000 } as const;
/** Typical distance between best bid and ask as a fraction of the price; never below one tick. */
const typical_spread = { crypto: 0.000_02, currency: 0.000_03, equity: 0.000_1 } as const;

const symbol_pattern = /^[A-Za-z0-9][A-Za-z0-9._:\/-]{0,31}$/;

/**
 * The simulated instrument of a symbol. The name's case and separators do not matter to what it trades like.
 * @throws UserError where the name is empty, longer than 32 characters or holds others than letters, digits and . _ : / -
 */
export function instrumentOf(symbol: string): Instrument {
  if (!symbol_pattern.test(symbol)) {
    throw new UserError(
      `simulate symbol ${quoted(symbol)}: not a symbol, want 1 to 32 letters, digits or . _ : / -`,
      {
        code: 2,
        hint: "for example BTCUSD",
      },
    );
  }
  const name = symbol.toUpperCase().replace(/[^A-Z0-9]/g, "");
  return pairOf(symbol, name) ?? unknownOf(symbol, name);
}

/** Symbols of common interest, for help texts and examples; any other name is served too. */
export const example_symbols: readonly string[] = [
  "BTCUSD",
  "ETHUSD",
  "ADAUSD",
  "BTCUSDT",
  "ETHUSDT",
  "SOLUSDT",
  "EURUSD",
  "AAPL",
];

function pairOf(symbol: string, name: string): Instrument | undefined {
  const dollar = known_assets.get("USD")!;
  const whole = known_assets.get(name);
  if (whole?.kind === "equity") return build(symbol, name, whole, dollar);
  for (let cut = 2; cut < name.length - 1; cut++) {
    const base = known_assets.get(name.slice(0, cut));
    const quote = known_assets.get(name.slice(cut));
    if (base && quote && quote.kind !== "equity") return build(symbol, name, base, quote);
  }
  return undefined;
}

function unknownOf(symbol: string, name: string): Instrument {
  const random = new Random(`instrument:${name}`);
  const price = 10 ** (random.unit() * 4.5 - 1.5);
  const volatility = 0.2 + random.unit() * 0.8;
  const kind = random.chance(0.5) ? "crypto" : "equity";
  return build(symbol, name, { usd: price, volatility, kind }, known_assets.get("USD")!);
}

function build(symbol: string, name: string, base: Asset, quote: Asset): Instrument {
  const kind = base.kind === "currency" && quote.kind === "crypto" ? "crypto" : base.kind;
  const price = base.usd / quote.usd;
  const grid = known_grids.get(name) ?? gridOf(kind, price, base.usd);
  const ticks = price * POWERS_OF_TEN[grid.price_decimals];
  return new Instrument({
    symbol,
    ...grid,
    reference_ticks: Math.round(ticks),
    typical_lots: Math.max(
      1,
      Math.round(typical_order_usd[kind] / base.usd * POWERS_OF_TEN[grid.quantity_decimals]),
    ),
    typical_spread_ticks: Math.max(1, ticks * typical_spread[kind]),
    // Independent legs: their variances add.
    volatility: Math.max(0.02, Math.hypot(base.volatility, quote.volatility)),
  });
}

/** Five significant digits of price (currencies six), cents for equities; crypto lots worth some ten cents to a dollar. */
function gridOf(kind: Asset["kind"], price: number, unit_usd: number): Grid {
  const magnitude = Math.floor(Math.log10(price));
  const price_decimals = kind === "equity" && price >= 1
    ? 2
    : clamp((kind === "currency" ? 5 : 4) - magnitude, 0, 12);
  if (kind !== "crypto") return { price_decimals, quantity_decimals: 0 };
  return { price_decimals, quantity_decimals: clamp(Math.floor(Math.log10(unit_usd)) + 1, 0, 8) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
