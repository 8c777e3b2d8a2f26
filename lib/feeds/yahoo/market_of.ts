/**
 * Which market one of Yahoo's symbols trades in, by its spelling: AAPL and BRK-B in New York, EURUSD=X by the forex week,
 * BTC-USD always. What the calendar does not know (futures, London, Tokyo) has no market: it may speak at any time.
 */
import type { Trading } from "../feed.ts";

/** Letters, and a class of shares, preferred shares, units or warrants behind a dash. */
const US_SHARE = /^[A-Z]{1,5}(-[A-Z]{1,2})?$/;
/** Root, expiry, call or put, strike: the OCC's spelling. */
const US_OPTION = /^[A-Z]{1,6}\d{6}[CP]\d{8}$/;
const COIN = /^[A-Z0-9]+-USD$/;
/** Of the many indices under ^ those of New York; they are computed in the regular session only. */
const US_INDICES: ReadonlySet<string> = new Set(
  "^GSPC ^SPX ^DJI ^IXIC ^NDX ^RUT ^RUA ^RUI ^VIX ^NYA ^XAX ^OEX ^MID ^SOX ^DJT ^DJU ^W5000 ^IRX ^FVX ^TNX ^TYX"
    .split(" "),
);

export function marketOf(symbol: string): Trading | undefined {
  if (COIN.test(symbol)) return "crypto";
  if (symbol.endsWith("=X")) return "forex";
  if (US_SHARE.test(symbol)) return "us_equities";
  if (US_INDICES.has(symbol) || US_OPTION.test(symbol)) return { market: "us_equities", session: "regular" };
  return undefined;
}
