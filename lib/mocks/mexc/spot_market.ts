/**
 * How MEXC's spot socket talks, today's and the older one alike: answers in JSON with code 0 whatever happened, thirty
 * subscriptions a connection. What the data looks like is the channel's.
 */
import { FAULTS, type MockKind } from "../mock.ts";
import { clientObject, textList } from "../stage/client_object.ts";
import { defineMock, type StagedMarket, type VenueDialect } from "../stage/define_mock.ts";
import type { Conversation, Line, Output, Subscription } from "../stage/dialect.ts";
import type { Happening, HappeningKind } from "../stage/happening.ts";
import { spotRest } from "./spot_rest.ts";

const MAX_SUBSCRIPTIONS = 30;

export interface SpotChannel {
  /** Its first group is the symbol. */
  pattern: RegExp;
  kind: HappeningKind;
  render(name: string, item: Happening): Output;
}

class SpotConversation implements Conversation {
  constructor(
    readonly line: Line<Happening>,
    readonly market: StagedMarket,
    readonly channels: readonly SpotChannel[],
  ) {}

  receive(text: string): void {
    const message = clientObject(text);
    if (message?.method === "PING") return this.#answer("PONG");
    const names = textList(message?.params);
    if (names === undefined) return this.#answer("params is error");
    if (message?.method === "SUBSCRIPTION") this.#subscribe(names);
    else if (message?.method === "UNSUBSCRIPTION") {
      for (const name of names) this.line.unsubscribe(name);
      this.#answer(names.join(","));
    } else this.#answer("method is error");
  }

  #subscribe(names: readonly string[]): void {
    const good: Subscription<Happening>[] = [];
    for (const name of names) {
      const subscription = this.#subscription(name);
      const is_full = this.line.subscriptions.size + good.length >= MAX_SUBSCRIPTIONS &&
        !this.line.subscriptions.has(name);
      if (subscription !== undefined && !is_full) good.push(subscription);
      else this.#refuse(name, is_full ? "Subscription limit reached" : "Blocked");
    }
    if (good.length > 0) this.#answer(good.map((one) => one.name).join(","));
    for (const one of good) this.line.subscribe(one);
  }
  #subscription(name: string): Subscription<Happening> | undefined {
    for (const { pattern, kind, render } of this.channels) {
      const symbol = pattern.exec(name)?.[1];
      if (symbol === undefined || !this.market.symbols.has(symbol)) continue;
      return { name, symbol, kinds: [kind], render: (item) => render(name, item) };
    }
    return undefined;
  }
  #refuse(name: string, why: string): void {
    this.#answer(`Not Subscribed successfully! [${name}].  Reason： ${why}! `);
  }
  #answer(msg: string): void {
    this.line.answer(JSON.stringify({ id: 0, code: 0, msg }));
  }
}

/** What differs between the socket of today and the older one. */
interface SpotDialect extends Pick<VenueDialect, "name" | "summary" | "trades_have_ids" | "words"> {
  streams: readonly SpotChannel[];
}

export function spotMock({ streams, ...dialect }: SpotDialect): MockKind {
  return defineMock({
    ...dialect,
    faults: FAULTS,
    channels: ["book", "trades", "quote", "ticker", "candles"],
    default_symbols: ["BTCUSDT", "ETHUSDT"],
    rules: {
      max_client_messages_per_s: 100,
      subscribe_within_ms: 30_000,
      max_client_silence_ms: 60_000,
    },
    open: (market) => ({
      enter: (path) =>
        path === "/ws"
          ? { route: "", converse: (line) => new SpotConversation(line, market, streams) }
          : undefined,
      rest: spotRest(market),
    }),
  });
}
