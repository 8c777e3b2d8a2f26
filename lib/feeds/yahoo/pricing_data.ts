/**
 * Yahoo's PricingData (proto3), all of its fields under the names that clients of the streamer use. Zeros are not sent,
 * so an absent field is unknown here, never 0. Floats are binary32: they come out as the shortest decimal that is the
 * same float. Source: the decoders of yfinance and yflive (unofficial; Yahoo documents nothing); 34–47 from one source.
 */
import { ProtobufReader } from "../../wire/protobuf_reader.ts";

type Kind = "text" | "float" | "double" | "sint" | "enum";
type Field = readonly [name: string, kind: Kind];

/** By field number. */
const FIELDS: readonly (Field | undefined)[] = [
  undefined,
  ["id", "text"],
  ["price", "float"],
  ["time", "sint"],
  ["currency", "text"],
  ["exchange", "text"],
  ["quoteType", "enum"],
  ["marketHours", "enum"],
  ["changePercent", "float"],
  ["dayVolume", "sint"],
  ["dayHigh", "float"],
  ["dayLow", "float"],
  ["change", "float"],
  ["shortName", "text"],
  ["expireDate", "sint"],
  ["openPrice", "float"],
  ["previousClose", "float"],
  ["strikePrice", "float"],
  ["underlyingSymbol", "text"],
  ["openInterest", "sint"],
  // Declared as an enum by some and as sint64 by others: 0 is call, any other put, whichever way it is read.
  ["optionsType", "enum"],
  ["miniOption", "sint"],
  ["lastSize", "sint"],
  ["bid", "float"],
  ["bidSize", "sint"],
  ["ask", "float"],
  ["askSize", "sint"],
  ["priceHint", "sint"],
  ["vol_24hr", "sint"],
  ["volAllCurrencies", "sint"],
  ["fromcurrency", "text"],
  ["lastMarket", "text"],
  ["circulatingSupply", "double"],
  ["marketcap", "double"],
  ["components", "text"],
  ["indices", "text"],
  ["cmcRank", "sint"],
  ["underlyingShortName", "text"],
  ["fiftyTwoWeekChange", "float"],
  ["fiftyTwoWeekChangePercent", "float"],
  ["latestAmountRaised", "float"],
  ["latestFundingDate", "sint"],
  ["latestShareClass", "text"],
  ["latestImpliedValuation", "float"],
  ["ytdReturn", "float"],
  ["qtdReturn", "float"],
  ["fullDayChange", "float"],
  ["fullDayChangePercent", "float"],
];

export const QUOTE_TYPES: Readonly<Record<number, string>> = {
  0: "none",
  5: "altsymbol",
  7: "heartbeat",
  8: "equity",
  9: "index",
  11: "mutual_fund",
  12: "money_market",
  13: "option",
  14: "currency",
  15: "warrant",
  17: "bond",
  18: "future",
  20: "etf",
  23: "commodity",
  28: "ecn_quote",
  41: "cryptocurrency",
  42: "indicator",
  43: "cul_index",
  44: "cul_sub_index",
  45: "cul_asset",
  46: "private_company",
  1000: "industry",
};

export const MARKET_HOURS: Readonly<Record<number, string>> = {
  0: "pre",
  1: "regular",
  2: "post",
  3: "extended",
  4: "overnight",
};

/** Field name → value; enums as their numbers, texts of `indices` joined by commas. */
export type PricingData = Map<string, number | string>;

/** Reads one message into `into`; undefined when it is whole, else why it is not. */
export class PricingDataReader {
  readonly #reader = new ProtobufReader();

  read(bytes: Uint8Array, length: number, into: PricingData): string | undefined {
    const reader = this.#reader;
    into.clear();
    reader.open(bytes, 0, length);
    while (reader.next()) {
      const field = FIELDS[reader.field];
      if (field === undefined) continue;
      const [name, kind] = field;
      const value = this.#value(kind);
      // proto3: a field of another wire type than declared is one that we do not know.
      if (value === undefined) continue;
      const before = name === "indices" ? into.get(name) : undefined;
      into.set(name, before === undefined ? value : `${before},${value}`);
    }
    return reader.failed ? "PricingData: damaged protobuf" : undefined;
  }

  #value(kind: Kind): number | string | undefined {
    const reader = this.#reader;
    if (kind === "text") return reader.text();
    const value = kind === "float"
      ? shortestFloat(reader.float())
      : kind === "double"
      ? reader.double()
      : kind === "sint"
      ? reader.sint()
      : reader.uint();
    return Number.isFinite(value) ? value : undefined;
  }
}

/** The decimal with the fewest digits that is the same binary32; NaN for what is no number. */
export function shortestFloat(value: number): number {
  if (!Number.isFinite(value)) return NaN;
  for (let digits = 6; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return NaN;
}
