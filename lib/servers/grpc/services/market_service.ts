/**
 * market_data.MarketDataService. `symbol` alone is enough unless several venues have it; then the metadata `venue` says
 * which. Depth and limit 0, which is what unset is, mean the usual ones.
 */
import { depthOf, type MarketQueries, requireBook } from "../../../flow/market_queries.ts";
import type { BookState } from "../../../flow/hub.ts";
import type { GrpcClient } from "../client.ts";
import { decode, type MarketMethod, type Methods } from "../method.ts";
import { GrpcError, INVALID_ARGUMENT, RESOURCE_EXHAUSTED } from "../protocol/status.ts";
import * as messages from "../schema/market_messages.ts";
import type { MarketStreams } from "../streams/market_streams.ts";
import type { Call } from "../transport/call.ts";

const SERVICE = "market_data.MarketDataService";
const MAX_UPDATE_SPEED_MS = 3_600_000;

type Answer = MarketMethod["answer"];
/** Why the client may not have this, by the tenant's rights. */
const rightsOf = (client: GrpcClient, channel: string, depth?: number) => ({ venue, symbol }: BookState) =>
  client.grant.refuses(venue, symbol, channel, depth);

export function marketService(queries: MarketQueries, streams: MarketStreams): Methods {
  const answers: Record<string, Answer> = {
    GetOrderBook(bytes, call, client, venue) {
      const { symbol, depth } = decode(messages.BookRequest, bytes);
      const may = rightsOf(client, "book", depthOf(depth));
      reply(call, client, messages.bookFrame(queries.book(symbol, depth, venue, may)));
    },
    GetTicker(bytes, call, client, venue) {
      const { symbol } = decode(messages.TickerRequest, bytes);
      reply(call, client, messages.tickerFrame(queries.ticker(symbol, venue, rightsOf(client, "ticker"))));
    },
    GetRecentTrades(bytes, call, client, venue) {
      const { symbol, limit } = decode(messages.TradesRequest, bytes);
      const trades = queries.trades(symbol, limit, venue, rightsOf(client, "trades"));
      reply(call, client, messages.tradesFrame(trades));
    },
    SubscribeToOrderBookUpdates(bytes, call, client, venue) {
      const { symbol, depth, update_speed } = decode(messages.BookSubscription, bytes);
      if (update_speed < 0 || update_speed > MAX_UPDATE_SPEED_MS) {
        const message =
          `take update_speed ${update_speed}: out of bounds, want 0 to ${MAX_UPDATE_SPEED_MS} ms`;
        throw new GrpcError(INVALID_ARGUMENT, message);
      }
      const levels = depthOf(depth);
      const state = requireBook(queries.find(symbol, venue, rightsOf(client, "book", levels)));
      subscribe(call, client, state, "book", levels);
      streams.of(state.venue, state.symbol).addBook(call, client, levels, update_speed);
    },
    SubscribeToTrades(bytes, call, client, venue) {
      const { symbol } = decode(messages.TradeSubscription, bytes);
      const state = queries.find(symbol, venue, rightsOf(client, "trades"));
      subscribe(call, client, state, "trades");
      streams.of(state.venue, state.symbol).addTrades(call, client);
    },
    SubscribeToTickers(bytes, call, client, venue) {
      const { symbol } = decode(messages.TickerSubscription, bytes);
      const state = queries.find(symbol, venue, rightsOf(client, "ticker"));
      subscribe(call, client, state, "ticker");
      streams.of(state.venue, state.symbol).addTicker(call, client);
    },
  };
  return Object.fromEntries(
    Object.entries(answers).map(([name, answer]): [string, MarketMethod] => [
      `/${SERVICE}/${name}`,
      { kind: "market", name, is_stream: name.startsWith("Subscribe"), answer },
    ]),
  );
}

function reply(call: Call, client: GrpcClient, frame: Uint8Array): void {
  if (!client.lease.takeBytes(frame.length)) {
    throw new GrpcError(RESOURCE_EXHAUSTED, "answer the call: the tenant's bytes per second are used up");
  }
  if (!call.send(frame)) {
    throw new GrpcError(RESOURCE_EXHAUSTED, "answer the call: too much waits for this client already");
  }
  call.finish();
}

function subscribe(
  call: Call,
  client: GrpcClient,
  { venue, symbol }: BookState,
  channel: string,
  depth?: number,
): void {
  client.calls.set(call, { venue, symbol, channel, depth });
  call.begin();
}
