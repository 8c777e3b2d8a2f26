/**
 * A mock of MEXC's spot socket of today: data in protobuf, answers in JSON. Each change of a market is one message,
 * whatever speed was asked for.
 */
import { ProtobufWriter } from "../../wire/protobuf_writer.ts";
import type { Level } from "../mock.ts";
import type { Happening, HappeningKind } from "../stage/happening.ts";
import { type SpotChannel, spotMock } from "./spot_market.ts";

/** `field`: of the wrapper, for the body. */
const channel = (pattern: RegExp, kind: HappeningKind, field: number): SpotChannel => ({
  pattern,
  kind,
  render: (name, item) => wrapped(name, field, item),
});
const CHANNELS: readonly SpotChannel[] = [
  channel(/^spot@public\.aggre\.depth\.v3\.api\.pb@(?:10|100)ms@(\w+)$/, "book", 313),
  channel(/^spot@public\.aggre\.deals\.v3\.api\.pb@(?:10|100)ms@(\w+)$/, "trade", 314),
  channel(/^spot@public\.aggre\.bookTicker\.v3\.api\.pb@(?:10|100)ms@(\w+)$/, "quote", 315),
  channel(/^spot@public\.miniTicker\.v3\.api\.pb@(\w+)@(?:24H|UTC[+-]\d{1,2})$/, "ticker", 309),
  channel(/^spot@public\.kline\.v3\.api\.pb@(\w+)@Min1$/, "candle", 308),
];

/** The body comes first and the symbol after it, as in what was recorded. */
function wrapped(name: string, field: number, item: Happening): Uint8Array | undefined {
  const body = bodyOf(item);
  if (body === undefined) return undefined;
  const sent = item.at_ms;
  return new ProtobufWriter().text(1, name).integer(6, sent).text(3, item.symbol).message(field, body)
    .finish();
}

function bodyOf(item: Happening): ProtobufWriter | undefined {
  const body = new ProtobufWriter();
  switch (item.kind) {
    case "book":
      for (const one of item.asks) body.message(1, level(one));
      for (const one of item.bids) body.message(2, level(one));
      return body.text(3, "spot@public.aggre.depth.v3.api.pb@100ms").text(4, String(item.first_id))
        .text(5, String(item.last_id));
    case "trade": {
      const deal = new ProtobufWriter().text(1, item.price).text(2, item.quantity)
        .integer(3, item.aggressor === "buy" ? 1 : 2).integer(4, item.at_ms).text(5, String(item.id));
      return body.message(1, deal).text(2, "spot@public.aggre.deals.v3.api.pb@100ms");
    }
    case "quote":
      return body.text(1, item.bid[0]).text(2, item.bid[1]).text(3, item.ask[0]).text(4, item.ask[1])
        .text(5, String(item.id));
    case "ticker": {
      const { last, open, high, low, volume, quote_volume } = item;
      if (last === undefined || open === undefined) return undefined;
      const rate = ((Number(last[0]) - Number(open)) / Number(open)).toFixed(4);
      return body.text(1, item.symbol).text(2, last[0]).text(3, rate).text(4, rate).text(5, high ?? last[0])
        .text(6, low ?? last[0]).text(7, quote_volume).text(8, volume);
    }
    case "candle":
      return body.text(1, "Min1").integer(2, seconds(item.open_ms)).text(3, item.open).text(4, item.close)
        .text(5, item.high).text(6, item.low).text(7, item.volume).text(8, item.quote_volume)
        .integer(9, seconds(item.end_ms));
  }
}

const level = ([price, quantity]: Level) => new ProtobufWriter().text(1, price).text(2, quantity);
const seconds = (time_ms: number) => Math.floor(time_ms / 1000);

export const mexcSpot = spotMock({
  name: "mexc-spot",
  summary: "MEXC spot: protobuf streams, code 0 on failure, REST snapshots",
  trades_have_ids: true,
  streams: CHANNELS,
  words: {
    format: "protobuf",
    essential: [],
    strange: [
      new ProtobufWriter().text(1, "spot@public.novelty").text(3, "BTCUSDT").message(320, level(["1", "1"]))
        .finish(),
      new ProtobufWriter().text(1, "spot@public.novelty").finish(),
      new ProtobufWriter().text(3, "NOSUCH").bytes(314, new Uint8Array()).finish(),
      '{"id":0,"code":0,"msg":"novelty"}',
      "",
    ],
  },
});
