/**
 * The smallest venue that uses all of the kit: an in-band book cut at five levels, numbered per connection and proven by
 * a checksum of its own making, trades as binary frames, quotes, a heartbeat, a book by REST. It stands for no venue.
 */
import { type Clock, ManualClock, systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { CHANNELS } from "../../../../lib/market/event.ts";
import { FAULTS, type Level, type MockOptions, type MockVenue } from "../../../../lib/mocks/mock.ts";
import { defineMock, type StagedMarket, type VenueDialect } from "../../../../lib/mocks/stage/define_mock.ts";
import { DepthView } from "../../../../lib/mocks/stage/depth_view.ts";
import type { Conversation, Line, RestRules, Subscription } from "../../../../lib/mocks/stage/dialect.ts";
import type { Happening, HappeningKind } from "../../../../lib/mocks/stage/happening.ts";
import { WireFrame } from "../../../../lib/mocks/stage/wire_frame.ts";

export const TOY_DEPTH = 5;

/** All prices and quantities of a book, joined: a client can compute it over what it holds. */
export function toyChecksum({ bids, asks }: { bids: readonly Level[]; asks: readonly Level[] }): string {
  return [...bids, ...asks].flat().map(Number).join("|");
}

class ToyConversation implements Conversation {
  #sequence = 0;

  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}
  begin(): void {
    this.line.answer('{"hello":"toy"}');
    this.line.every(1_000, () => this.line.answer('{"beat":true}'));
  }
  /** `+book:AAAUSD`, `-book:AAAUSD`; anything else is an error. */
  receive(text: string): void {
    const match = /^([+-])(book|trade|quote|ticker|candle):([A-Z]+)$/.exec(text);
    const book = match && this.market.book(match[3]);
    if (!match || !book) return this.line.answer(`{"error":${JSON.stringify(text)}}`);
    const [, sign, kind, symbol] = match;
    this.line.answer(`{"ack":"${text}"}`);
    if (sign === "-") this.line.unsubscribe(text.slice(1));
    else if (kind === "book") {
      this.line.subscribe(this.#book(symbol, new DepthView(book, TOY_DEPTH, "untold")));
    } else this.line.subscribe(this.#plain(kind as HappeningKind, symbol));
  }
  farewell(): string {
    return '{"bye":true}';
  }

  #book(symbol: string, view: DepthView): Subscription<Happening> {
    const say = (type: string, bids: readonly Level[], asks: readonly Level[]) => {
      const checked = [...bids, ...asks].map((level) => JSON.stringify(level));
      const sum = toyChecksum(view.book.top(TOY_DEPTH));
      return new WireFrame(JSON.stringify({ n: ++this.#sequence, symbol, type, bids, asks, sum }), {
        checked,
      });
    };
    return {
      name: `book:${symbol}`,
      symbol,
      kinds: ["book"],
      opening() {
        const { bids, asks } = view.snapshot();
        return say("snapshot", bids, asks);
      },
      render() {
        const { bids, asks } = view.changes();
        return bids.length + asks.length > 0 ? say("update", bids, asks) : undefined;
      },
    };
  }
  #plain(kind: HappeningKind, symbol: string): Subscription<Happening> {
    return {
      name: `${kind}:${symbol}`,
      symbol,
      kinds: [kind],
      render(happening) {
        const text = JSON.stringify(happening);
        return kind === "trade" ? new TextEncoder().encode(text) : text;
      },
    };
  }
}

function toyRest(market: StagedMarket): RestRules {
  return {
    weight_per_minute: 50,
    request({ searchParams }) {
      const symbol = searchParams.get("symbol") ?? "";
      const book = market.book(symbol);
      if (!book) return { status: 404, body: '{"error":"symbol"}' };
      const answer = () => JSON.stringify({ id: book.last_id, ...book.top(TOY_DEPTH) });
      return { weight: 10, snapshot_of: symbol, answer };
    },
    refusal: (status) => `{"error":${status}}`,
  };
}

const toyDialect: VenueDialect = {
  name: "toy",
  summary: "A venue for tests",
  faults: FAULTS,
  channels: CHANNELS,
  trades_have_ids: true,
  default_symbols: ["AAAUSD"],
  rules: { max_client_messages_per_s: 20, subscribe_within_ms: 5_000, max_client_silence_ms: 60_000 },
  words: { format: "json", essential: ["n", "bids", "asks"], strange: ['{"novelty":1}'] },
  open: (market) => ({
    enter: (path) =>
      path === "/toy" ? { route: "", converse: (line) => new ToyConversation(line, market) } : undefined,
    rest: toyRest(market),
  }),
};

/** At full speed, over after ten seconds of its own time, unless told otherwise. */
const TOY_OPTIONS: MockOptions = {
  listen: "127.0.0.1:0",
  symbols: [],
  speed: Infinity,
  faults: [],
  seed: "1",
  duration_ms: 10_000,
  start_delay_ms: 50,
  rate_per_s: 100,
};

export function openToy(
  options: Partial<MockOptions> = {},
  clock: Clock = systemClock,
  dialect: Partial<VenueDialect> = {},
): Promise<MockVenue> {
  const world = { clock, log: silentLog, signal: new AbortController().signal };
  return defineMock({ ...toyDialect, ...dialect }).open({ ...TOY_OPTIONS, ...options }, world);
}

export function manualToy(
  options: Partial<MockOptions> = {},
): { clock: ManualClock; venue: Promise<MockVenue> } {
  const clock = new ManualClock();
  return { clock, venue: openToy(options, clock) };
}
