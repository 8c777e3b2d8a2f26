/**
 * One subscribed stream of one connection: what it carries, and each event in the framing that the connection wants.
 * Combined: `{"stream":"<name>","data":{…}}`; raw: the bare event. A frame is built once for all who take it.
 */
import type { Subscription } from "../stage/dialect.ts";
import { WireFrame } from "../stage/wire_frame.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { BinanceItem, ItemKind } from "./item.ts";

/** The last frame per framing and stream name. Bound: as many as names were asked for, 20,000; then all anew. */
export class FrameCache {
  readonly #frames = new Map<string, { item: BinanceItem; frame: WireFrame }>();

  of(item: BinanceItem, stream: string, data: string, combined: boolean): WireFrame {
    const key = `${combined} ${stream}`;
    const known = this.#frames.get(key);
    if (known?.item === item) return known.frame;
    if (this.#frames.size >= 20_000) this.#frames.clear();
    const text = combined ? `{"stream":${JSON.stringify(stream)},"data":${data}}` : data;
    const frame = new WireFrame(text);
    this.#frames.set(key, { item, frame });
    return frame;
  }
}

export class BinanceStream implements Subscription<BinanceItem> {
  readonly symbol: string;
  readonly suffix: string;
  readonly kinds: readonly ItemKind[];

  /** @param connection whose framing may change while the stream runs */
  constructor(
    readonly name: string,
    route: string,
    readonly connection: { readonly combined: boolean },
    readonly dialect: BinanceDialect,
    readonly frames: FrameCache,
  ) {
    const at = name.indexOf("@");
    this.suffix = name.slice(at + 1);
    this.symbol = name.slice(0, Math.max(at, 0)).toUpperCase();
    // A name not in lower case, or on a route that does not carry it, is acknowledged and stays silent.
    const is_served = name.startsWith(this.symbol.toLowerCase() + "@") &&
      dialect.routeOf(this.suffix) === route;
    this.kinds = is_served ? kindsOf(this.suffix, dialect) : [];
  }
  render(item: BinanceItem): WireFrame | undefined {
    const data = this.#dataOf(item);
    return data === undefined ? undefined : this.frames.of(item, this.name, data, this.connection.combined);
  }
  #dataOf(item: BinanceItem): string | undefined {
    if (item.kind === "other") return item.suffix === this.suffix ? item.data : undefined;
    if (item.kind === "trade" && this.suffix === "aggTrade") return this.dialect.aggregateTrade(item.data);
    return item.data;
  }
}

function kindsOf(suffix: string, { depth_suffixes }: BinanceDialect): readonly ItemKind[] {
  if (depth_suffixes.includes(suffix)) return ["depth"];
  if (suffix === "bookTicker") return ["quote"];
  if (suffix === "trade") return ["trade"];
  return suffix === "aggTrade" ? ["trade", "aggregate_trade"] : ["other"];
}
