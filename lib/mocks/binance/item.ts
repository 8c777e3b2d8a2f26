/** What a Binance market plays: one event of the venue as its own JSON text, from a recording or a generated market. */
import type { StageItem } from "../stage/tape.ts";

/** `other`: served only under the very name it was captured with. */
export type ItemKind = "depth" | "quote" | "trade" | "aggregate_trade" | "snapshot" | "other";

export interface BinanceItem extends StageItem {
  kind: ItemKind;
  /** Upper case; empty for a REST snapshot, which names none. */
  symbol: string;
  /** The part of the stream's name behind the symbol, as captured: "depth@100ms"; empty for a snapshot. */
  suffix: string;
  /** The event's JSON text, without the combined wrapper. */
  data: string;
}
