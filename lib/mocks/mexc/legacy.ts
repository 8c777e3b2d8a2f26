/**
 * A mock of MEXC's older spot socket, JSON `{c,s,d,t}`. Its versions count single changes, one a message: a change of many
 * comes as many messages, the levels in the last.
 */
import type { Level } from "../mock.ts";
import type { Output } from "../stage/dialect.ts";
import type { Happening, HappeningKind } from "../stage/happening.ts";
import { type SpotChannel, spotMock } from "./spot_market.ts";

const channel = (pattern: RegExp, kind: HappeningKind): SpotChannel => ({ pattern, kind, render: messages });
const CHANNELS: readonly SpotChannel[] = [
  channel(/^spot@public\.increase\.depth\.v3\.api@(\w+)$/, "book"),
  channel(/^spot@public\.deals\.v3\.api@(\w+)$/, "trade"),
  channel(/^spot@public\.bookTicker\.v3\.api@(\w+)$/, "quote"),
  channel(/^spot@public\.miniTicker\.v3\.api@(\w+)@24H$/, "ticker"),
  channel(/^spot@public\.kline\.v3\.api@(\w+)@Min1$/, "candle"),
];

function messages(c: string, item: Happening): Output {
  const say = (d: object) => JSON.stringify({ c, d, s: item.symbol, t: item.at_ms });
  if (item.kind !== "book") {
    const data = dataOf(item);
    return data && say(data);
  }
  const { first_id, last_id } = item;
  return Array.from({ length: last_id - first_id + 1 }, (_, i) => {
    const is_last = first_id + i === last_id;
    const rows = (levels: readonly Level[]) => is_last ? levels.map(([p, v]) => ({ p, v })) : [];
    return say({
      asks: rows(item.asks),
      bids: rows(item.bids),
      e: "increase.depth",
      r: String(first_id + i),
    });
  });
}

function dataOf(item: Happening): object | undefined {
  switch (item.kind) {
    case "trade": {
      const { price: p, quantity: v, at_ms: t, aggressor } = item;
      return { deals: [{ S: aggressor === "buy" ? 1 : 2, p, t, v }], e: "deals" };
    }
    case "quote":
      return { A: item.ask[1], B: item.bid[1], a: item.ask[0], b: item.bid[0] };
    case "ticker": {
      const { symbol: s, last, open, high: h, low: l, quote_volume: v, volume: q, at_ms: t } = item;
      if (last === undefined || open === undefined) return undefined;
      const r = ((Number(last[0]) - Number(open)) / Number(open)).toFixed(4);
      return { s, p: last[0], r, tr: r, h, l, v, q, lastRT: "-1", MT: "0", NV: "0", t: String(t) };
    }
    case "candle": {
      const { open: o, close: c, high: h, low: l, volume: v, quote_volume: a } = item;
      const times = { t: item.open_ms / 1000, T: item.end_ms / 1000 };
      return { k: { ...times, o, c, h, l, v, a, i: "Min1" }, e: "kline" };
    }
    case "book":
      return undefined;
  }
}

export const mexcLegacy = spotMock({
  name: "mexc-legacy",
  summary: "MEXC spot before August 2025: JSON streams, REST snapshots",
  trades_have_ids: false,
  streams: CHANNELS,
  words: {
    format: "json",
    essential: ["asks", "bids", "r", "deals", "p", "k"],
    strange: [
      '{"c":"spot@public.novelty.v3.api@BTCUSDT","d":{},"s":"BTCUSDT","t":1}',
      '{"c":"spot@public.deals.v3.api@NOSUCH","d":{"deals":[]},"s":"NOSUCH","t":1}',
      '{"id":0,"code":0,"msg":"novelty"}',
    ],
  },
});
