/**
 * Kraken's side of a book, written from its documents alone: levels as texts, the best `depth` a side shown, levels
 * pushed out untold, checksums by zlib over spelled digits. The oracle of the checksum and of the truncation.
 */
import zlib from "node:zlib";
import type { Random } from "../../../../lib/base/random.ts";

const PRICE_DECIMALS = 1;
const QUANTITY_DECIMALS = 8;
type Level = [price: string, quantity: string];

export class VenueBook {
  readonly #sides = { bids: new Map<number, string>(), asks: new Map<number, string>() };
  #time_us = 1_793_628_600_000_000;
  #shown: { bids: Level[]; asks: Level[] } = { bids: [], asks: [] };

  constructor(readonly symbol: string, readonly depth: number, readonly random: Random) {
    for (let i = 0; i < depth * 2; i++) this.#change();
  }
  instrument(): string {
    const { symbol } = this;
    const pair = { symbol, price_precision: PRICE_DECIMALS, qty_precision: QUANTITY_DECIMALS };
    return JSON.stringify({ channel: "instrument", type: "snapshot", data: { assets: [], pairs: [pair] } });
  }
  acknowledgement(): string {
    const result = { channel: "book", depth: this.depth, symbol: this.symbol };
    return JSON.stringify({ method: "subscribe", success: true, req_id: 1, result });
  }
  snapshot(): string {
    this.#shown = this.#view();
    return this.#frame("snapshot", this.#shown.bids, this.#shown.asks);
  }
  /** The next update: one to four changes, as far as they show. */
  update(): string {
    for (let n = this.random.integer(1, 4); n > 0; n--) this.#change();
    const view = this.#view();
    const [bids, asks] = [changes(this.#shown.bids, view.bids, 1), changes(this.#shown.asks, view.asks, -1)];
    this.#shown = view;
    return this.#frame("update", bids, asks);
  }
  /** What a right book shows now. */
  get shown(): { bids: Level[]; asks: Level[] } {
    return this.#shown;
  }
  #change(): void {
    const side = this.random.chance(0.5) ? "bids" : "asks";
    const levels = this.#sides[side];
    const tick = this.random.integer(1, this.depth * 3);
    const tenths = 452_800 + (side === "bids" ? -tick : tick);
    if (levels.has(tenths) && this.random.chance(0.5) && levels.size > 2) levels.delete(tenths);
    else {
      const digits = String(this.random.integer(1, 99_999_999)).padStart(QUANTITY_DECIMALS, "0");
      levels.set(tenths, `${this.random.integer(0, 3)}.${this.random.chance(0.2) ? "50000000" : digits}`);
    }
  }
  #view(): { bids: Level[]; asks: Level[] } {
    const best = (levels: Map<number, string>, sign: number) =>
      [...levels].sort(([a], [b]) => sign * (b - a)).slice(0, this.depth)
        .map(([tenths, quantity]): Level => [`${Math.floor(tenths / 10)}.${tenths % 10}`, quantity]);
    return { bids: best(this.#sides.bids, 1), asks: best(this.#sides.asks, -1) };
  }
  #frame(type: string, bids: readonly Level[], asks: readonly Level[]): string {
    const rows = (levels: readonly Level[]) =>
      levels.map(([price, quantity]) => `{"price":${Number(price)},"qty":${plain(quantity)}}`).join(",");
    const spelled = [...this.#shown.asks.slice(0, 10), ...this.#shown.bids.slice(0, 10)].flat()
      .map((text) => text.replace(".", "").replace(/^0+/, "")).join("");
    this.#time_us += this.random.integer(1, 900_000);
    const fraction = String(this.#time_us % 1_000_000).padStart(6, "0");
    const time = `${
      new Date(Math.floor(this.#time_us / 1e6) * 1000).toISOString().slice(0, 19)
    }.${fraction}Z`;
    return `{"channel":"book","type":"${type}","data":[{"symbol":"${this.symbol}","bids":[${rows(bids)}],` +
      `"asks":[${rows(asks)}],"checksum":${zlib.crc32(spelled)},"timestamp":"${time}"}]}`;
  }
}

/** As Kraken writes JSON numbers: without trailing zeros. */
function plain(quantity: string): string {
  return quantity.replace(/0+$/, "").replace(/\.$/, "");
}

/** New and changed levels, and deletions of those that went although there is still room for them. */
function changes(before: readonly Level[], after: readonly Level[], sign: number): Level[] {
  const now = new Map(after);
  const was = new Map(before);
  const last = after.length > 0 ? Number(after[after.length - 1][0]) : undefined;
  const changed = after.filter(([price, quantity]) => was.get(price) !== quantity);
  const gone = before.filter(([price]) => !now.has(price))
    .filter(([price]) =>
      last === undefined || sign * (Number(price) - last) > 0 || after.length < before.length
    )
    .map(([price]): Level => [price, "0.00000000"]);
  return [...gone, ...changed];
}
