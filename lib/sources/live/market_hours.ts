/**
 * When a venue's symbols may be silent: the feed says which market each trades in, the calendar whether that one is open.
 * Sessions and days begin on whole minutes, so what was found holds for the minute. Refuses to guess: a symbol without
 * a market is always expected to speak.
 */
import type { Clock } from "../../base/clock.ts";
import type { Feed, Trading } from "../../feeds/feed.ts";
import {
  type CalendarOptions,
  type MarketName,
  type MarketState,
  marketState,
  quietReason,
} from "../../market/calendar.ts";

const MINUTE_MS = 60_000;

export class MarketHours {
  readonly #states = new Map<MarketName, { minute: number; state: MarketState }>();
  readonly #trading = new Map<string, Trading | undefined>();

  constructor(
    readonly feed: Pick<Feed, "market">,
    readonly options: CalendarOptions,
    readonly clock: Clock,
  ) {}
  /** Why no data of the symbol is to be expected now ("market closed: Thanksgiving Day"); undefined: it is. */
  silence(symbol: string): string | undefined {
    const trading = this.#tradingOf(symbol);
    if (trading === undefined) return undefined;
    const { market, session: own } = typeof trading === "string" ? { market: trading } : trading;
    const state = this.#state(market);
    const reason = quietReason(state);
    if (reason !== undefined || own === undefined || state.session === own) return reason;
    return `outside the ${own} session: ${state.session}`;
  }
  forget(symbol: string): void {
    this.#trading.delete(symbol);
  }

  /** Asked for many times a second; bounded by the symbols that the source carries. */
  #tradingOf(symbol: string): Trading | undefined {
    const known = this.#trading.get(symbol);
    if (known !== undefined || this.feed.market === undefined || this.#trading.has(symbol)) return known;
    const trading = this.feed.market(symbol);
    this.#trading.set(symbol, trading);
    return trading;
  }
  #state(market: MarketName): MarketState {
    const now_ms = this.clock.now_ms();
    const minute = Math.floor(now_ms / MINUTE_MS);
    const known = this.#states.get(market);
    if (known?.minute === minute) return known.state;
    const state = marketState(market, now_ms, this.options);
    this.#states.set(market, { minute, state });
    return state;
  }
}
