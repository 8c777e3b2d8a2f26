/**
 * A mock of one of Tiingo's WebSocket endpoints: a token in the subscribe frame, one subscription of tickers at a threshold
 * level, changed by its id; each ticker brings all that the level tells. Any token serves but `REFUSED_TOKEN`, which gets the
 * venue's error with the token in it, as the worst of venues would answer.
 */
import type { Channel } from "../../market/event.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import { type MockKind, STREAM_FAULTS } from "../mock.ts";
import { asObject, type ClientObject, clientObject, plainNumber, textList } from "../stage/client_object.ts";
import { defineMock, type StagedMarket } from "../stage/define_mock.ts";
import type { Conversation, Line } from "../stage/dialect.ts";
import type { Happening, QuoteHappening } from "../stage/happening.ts";

export interface EndpointDialect {
  name: string;
  summary: string;
  path: string;
  /** The envelope's word. */
  service: string;
  channels: readonly Channel[];
  default_symbols: readonly string[];
  /** What each threshold level brings. */
  levels: Readonly<Record<number, readonly Happening["kind"][]>>;
  /** The row of data, as JSON; undefined: this is not told. */
  row(item: Happening): string | undefined;
}

export const REFUSED_TOKEN = "a-token-that-is-refused";
const HEARTBEAT_MS = 30_000;
const OK = { code: 200, message: "Success" };
const FIRST_SUBSCRIPTION_ID = 123_456;
/** Below this Tiingo's numbers are written with an exponent. */
const SMALLEST_PLAIN = 1e-4;

class TiingoConversation implements Conversation {
  #level: number | undefined;

  constructor(
    readonly line: Line<Happening>,
    readonly market: StagedMarket,
    readonly words: EndpointDialect,
  ) {}

  begin(): void {
    this.line.every(HEARTBEAT_MS, () => this.#say("H", { code: 200, message: "HeartBeat" }));
  }
  receive(text: string): void {
    const { eventName, authorization, eventData } = clientObject(text) ?? {};
    const data = asObject(eventData);
    const tickers = textList(data?.tickers);
    if (typeof authorization !== "string") return this.#refuse(401, "No token");
    if (authorization === REFUSED_TOKEN) return this.#refuse(401, `Invalid token: ${authorization}`);
    if (data === undefined || tickers === undefined) return this.#refuse(400, "eventData is not valid");
    if (eventName === "subscribe") return this.#subscribe(data, tickers);
    if (eventName !== "unsubscribe") return this.#refuse(400, "eventName is not valid");
    if (!this.#isOurs(data)) return;
    for (const ticker of tickers) this.line.unsubscribe(ticker);
    this.#listed();
  }
  #subscribe(data: ClientObject, tickers: readonly string[]): void {
    if (data.subscriptionId === undefined) {
      const level = Number(data.thresholdLevel);
      if (!Object.hasOwn(this.words.levels, level)) return this.#refuse(400, "thresholdLevel not valid");
      this.#level = level;
      this.#say("I", OK, { subscriptionId: FIRST_SUBSCRIPTION_ID });
    } else {
      if (!this.#isOurs(data)) return;
      this.#listed();
    }
    const kinds = this.words.levels[this.#level!];
    for (const ticker of tickers) {
      // Unknown tickers are passed over; one that is carried already stays as it is.
      if (!this.market.symbols.has(ticker) || this.line.subscriptions.has(ticker)) continue;
      this.line.subscribe({ name: ticker, symbol: ticker, kinds, render: (item) => this.#news(item) });
    }
  }
  #isOurs({ subscriptionId }: ClientObject): boolean {
    if (this.#level !== undefined && subscriptionId === FIRST_SUBSCRIPTION_ID) return true;
    this.#refuse(400, "subscriptionId not valid");
    return false;
  }
  #news(item: Happening): string | undefined {
    const row = this.words.row(item);
    return row && `{"messageType":"A","service":"${this.words.service}","data":${row}}`;
  }
  #listed(): void {
    const tickers = [...this.line.subscriptions.keys()];
    this.#say("I", OK, { tickers, thresholdLevel: String(this.#level) });
  }
  #refuse(code: number, message: string): void {
    this.#say("E", { code, message });
  }
  #say(messageType: string, response: { code: number; message: string }, data?: object): void {
    this.line.answer(JSON.stringify({ messageType, response, data }));
  }
}

export function tiingoMock(words: EndpointDialect): MockKind {
  const { name, summary, channels, default_symbols, path } = words;
  return defineMock({
    ...{ name, summary, channels, default_symbols },
    faults: STREAM_FAULTS,
    trades_have_ids: false,
    symbol: (text) => text.toLowerCase(),
    rules: { max_client_messages_per_s: 20 },
    words: {
      format: "json",
      essential: ["messageType", "service", "data"],
      strange: [
        '{"messageType":"Z","service":"x","data":[1]}',
        '{"messageType":"D","data":["x"]}',
        `{"messageType":"A","service":"${words.service}","data":["X","y",1]}`,
        `{"messageType":"A","service":"${words.service}","data":[]}`,
        '{"messageType":"H"}',
      ],
    },
    open: (market) => ({
      enter: (asked) =>
        asked === path
          ? { route: "", converse: (line) => new TiingoConversation(line, market, words) }
          : undefined,
    }),
  });
}

/** A JSON number as Tiingo writes it. */
export function numberText(text: string): string {
  const value = Number(text);
  return value > 0 && value < SMALLEST_PLAIN ? value.toExponential() : plainNumber(text);
}
export function midText({ bid, ask }: QuoteHappening): string {
  return String((Number(bid[0]) + Number(ask[0])) / 2);
}
/** "2026-11-02T14:10:00.123000+00:00" */
export function utcText(at_us: number): string {
  return isoMicroseconds(at_us).replace("Z", "+00:00");
}
