/**
 * A mock of Yahoo's streamer, version 2: PricingData as base64 inside JSON, nothing acknowledged, unknown symbols passed
 * over in silence, no greeting and no heartbeat. Every change of the statistics is a tick.
 */
import { ProtobufWriter } from "../wire/protobuf_writer.ts";
import { STREAM_FAULTS } from "./mock.ts";
import { clientObject, textList } from "./stage/client_object.ts";
import { defineMock, type StagedMarket } from "./stage/define_mock.ts";
import type { Conversation, Line } from "./stage/dialect.ts";
import type { Happening } from "./stage/happening.ts";

const EQUITY = 8n;
const CURRENCY = 14n;
const CRYPTOCURRENCY = 41n;
const REGULAR = 1n;

class YahooConversation implements Conversation {
  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}

  receive(text: string): void {
    const message = clientObject(text);
    for (const symbol of textList(message?.unsubscribe) ?? []) this.line.unsubscribe(symbol);
    for (const symbol of textList(message?.subscribe) ?? []) {
      // The list comes again every 15 s, which changes nothing for what is subscribed already.
      if (!this.market.symbols.has(symbol) || this.line.subscriptions.has(symbol)) continue;
      this.line.subscribe({ name: symbol, symbol, kinds: ["ticker"], render: pricing });
    }
  }
}

/** A tick needs a last price: before the first trade there is none. */
function pricing(item: Happening): string | undefined {
  if (item.kind !== "ticker" || item.last === undefined) return undefined;
  const { symbol, at_ms, last: [price, size], open, high, low, bid, ask } = item;
  const [, decimals = ""] = price.split(".");
  const data = new ProtobufWriter().text(1, symbol).float32(2, Number(price)).zigzag(3, BigInt(at_ms))
    .integer(6, quoteType(symbol)).integer(7, REGULAR).zigzag(9, whole(item.volume)).zigzag(22, whole(size));
  for (const [field, value] of [[10, high], [11, low], [15, open], [23, bid?.[0]], [25, ask?.[0]]] as const) {
    if (value !== undefined) data.float32(field, Number(value));
  }
  data.zigzag(27, BigInt(decimals.length));
  return JSON.stringify({ type: "pricing", message: data.finish().toBase64() });
}

/** Sizes are whole numbers of shares. */
const whole = (quantity: string) => BigInt(Math.ceil(Number(quantity)));

function quoteType(symbol: string): bigint {
  if (symbol.endsWith("=X")) return CURRENCY;
  return /-[A-Z]{3,4}$/.test(symbol) ? CRYPTOCURRENCY : EQUITY;
}

export const yahoo = defineMock({
  name: "yahoo",
  summary: "Yahoo Finance streamer: PricingData in base64, nothing acknowledged",
  faults: STREAM_FAULTS,
  channels: ["ticker"],
  trades_have_ids: false,
  default_symbols: ["AAPL", "EURUSD=X"],
  simulatedAs: (symbol) => symbol.replace(/=X$|-/g, ""),
  rules: { max_client_messages_per_s: 20 },
  words: {
    format: "json",
    essential: ["message"],
    strange: ['{"type":"notice","message":"x"}', '{"type":"pricing"}', "////", "[]"],
  },
  open: (market) => ({
    enter: (path) =>
      path === "/?version=2"
        ? { route: "", converse: (line) => new YahooConversation(line, market) }
        : undefined,
  }),
});
