/**
 * What overlapping connections bring twice and no id tells apart: trades without an id, tickers, candles. Of trades each
 * counts as often as the connection that brought it most often did; of tickers and candles the newest state counts once.
 * Bounded: of each symbol the last `MAX_TRADES` trades are remembered.
 */
import type { Candle, MarketEvent, Ticker, Trade } from "../../market/event.ts";

const MAX_TRADES = 2_048;
/** A state that is older by more than this did not come late: the newer time was damage, or the venue's clock was set. */
const MAX_REORDER_MS = 600_000;
/** Symbols and intervals whose last ticker or candle is remembered; past it the oldest is forgotten. */
const MAX_STATES = 65_536;

interface SeenTrades {
  /** A trade's own facts → the connections that brought it, once per time it happened. */
  readonly by_facts: Map<string, Set<object>[]>;
  readonly order: string[];
}

export class Repeats {
  readonly #trades = new Map<string, SeenTrades>();
  readonly #states = new Map<string, { time_ms: number; facts: string }>();

  /** False for what was passed on before. `connection`: who brings it. */
  admits(event: MarketEvent, connection: object): boolean {
    if (event.kind === "trade") return event.trade_id !== undefined || this.#admitsTrade(event, connection);
    if (event.kind === "ticker") return this.#admitsState(event, event.symbol);
    if (event.kind === "candle") return this.#admitsState(event, `${event.symbol} ${event.interval}`);
    return true;
  }
  forget(symbol: string): void {
    this.#trades.delete(symbol);
    for (const key of this.#states.keys()) {
      if (key === symbol || key.startsWith(`${symbol} `)) this.#states.delete(key);
    }
  }

  #admitsTrade(trade: Trade, connection: object): boolean {
    let seen = this.#trades.get(trade.symbol);
    if (!seen) this.#trades.set(trade.symbol, seen = { by_facts: new Map(), order: [] });
    const { venue_trade_id, exchange_ms, price, quantity, exact_quantity, aggressor } = trade;
    const facts = venue_trade_id ??
      `${exchange_ms} ${price} ${exact_quantity ?? quantity} ${aggressor}`;
    const times = seen.by_facts.get(facts);
    if (times === undefined) {
      seen.by_facts.set(facts, [new Set([connection])]);
      seen.order.push(facts);
      if (seen.order.length > MAX_TRADES) seen.by_facts.delete(seen.order.shift()!);
      return true;
    }
    const other = times.find((connections) => !connections.has(connection));
    if (other !== undefined) {
      other.add(connection);
      return false;
    }
    // An id of the venue's own names one trade for ever; equal facts may well be two trades.
    if (venue_trade_id !== undefined) return false;
    times.push(new Set([connection]));
    return true;
  }
  #admitsState(event: Ticker | Candle, key: string): boolean {
    const time_ms = event.exchange_ms ?? event.sent_ms ?? -Infinity;
    const { received_us: _received, ...rest } = event;
    const facts = JSON.stringify(rest);
    const last = this.#states.get(key);
    if (last !== undefined) {
      const behind_ms = last.time_ms - time_ms;
      if (facts === last.facts || (behind_ms > 0 && behind_ms <= MAX_REORDER_MS)) return false;
    }
    if (last === undefined && this.#states.size >= MAX_STATES) {
      for (const oldest of this.#states.keys()) {
        this.#states.delete(oldest);
        break;
      }
    }
    this.#states.set(key, { time_ms, facts });
    return true;
  }
}
