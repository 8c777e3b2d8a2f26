/**
 * One run of a gateway against a mock venue with faults, in this process: from a capture at full speed or a generated
 * market that ends, until the books stand where they must. Reports what happened and what was wrong.
 */
import { type Clock, sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { Hub } from "../../lib/flow/hub.ts";
import type { Channel } from "../../lib/market/event.ts";
import { FEEDS, MOCKS, SOURCES } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import type { Fault, FaultSpec, MockKind, MockOptions, MockStats, MockVenue } from "../../lib/mocks/mock.ts";
import { cleanBooks } from "./clean_book.ts";
import { type Expectation, mockEnd, recordedEnd } from "./expectation.ts";
import { WatchfulReceiver } from "./watchful_receiver.ts";

export interface FaultRun {
  venue: string;
  /** Absent: a generated market, which then needs `market.duration_ms`. */
  capture?: string;
  market?: Partial<Pick<MockOptions, "duration_ms" | "rate_per_s" | "interval_ms" | "fault_until">>;
  faults: readonly (Fault | FaultSpec)[];
  seed: string;
  /** Give up after this long. */
  limit_ms: number;
  /** Market seconds per second; default as fast as it is read. */
  speed?: number;
  /** Every trade of the generated market must come through. */
  whole?: boolean;
  /** The mock's; default 200. */
  start_delay_ms?: number;
  /** A connection silent for this long is dead; half of it is what a stream's first data may take. Default 1,000. */
  max_silence_ms?: number;
}
export interface FaultReport {
  /** Empty when all is right. */
  wrong: string[];
  stats: MockStats;
  /** Metric name → sum over its children, and name{labels} → that child, for those above 0. */
  counters: Record<string, number>;
  elapsed_ms: number;
}

const POLL_MS = 20;
const BOOK_CHANNELS: readonly Channel[] = ["book", "trades", "quote"];
const LAST_CHANNELS: readonly Channel[] = ["trades", "quote", "ticker"];

export async function runWithFaults(options: FaultRun, clock: Clock = systemClock): Promise<FaultReport> {
  const { venue, capture, market, faults, seed, limit_ms, speed = Infinity, start_delay_ms = 200 } = options;
  const started_ms = clock.monotonic_ms();
  const stop = new AbortController();
  const metrics = new Metrics();
  const kind = MOCKS[venue];
  await using mock = await kind.open(
    { listen: "127.0.0.1:0", capture, symbols: [], ...market, speed, faults, seed, start_delay_ms },
    { clock, log: silentLog, signal: stop.signal },
  );
  const expected = capture === undefined
    ? mockEnd(kind, mock)
    : recordedEnd(venue, await cleanBooks(FEEDS[venue], capture));
  const watchful = new WatchfulReceiver();
  const gateway = await Gateway.start(
    {
      sources: [liveSource(options, kind, mock, expected.symbols)],
      sinks: [],
      servers: [],
      drain_timeout_ms: 1_000,
    },
    { clock, log: silentLog, metrics, version: "test", seed },
  );
  gateway.hub.subscribe(watchful);
  try {
    // A source that fails ends the gateway: waiting on would only hide why.
    const failed = gateway.ended.then(() => ["the gateway ended by itself"]);
    const settled = settle(gateway.hub, watchful, expected, clock, started_ms + limit_ms);
    const wrong = await Promise.race([settled, failed]);
    wrong.push(...judgeStreams(options, kind, mock, gateway.hub, watchful));
    return {
      wrong,
      stats: mock.stats(),
      counters: countersOf(metrics),
      elapsed_ms: clock.monotonic_ms() - started_ms,
    };
  } finally {
    stop.abort();
    await gateway[Symbol.asyncDispose]();
  }
}

/** What the venue sells of books, trades, quotes and (without books) tickers, with limits that show faults soon. */
function liveSource(
  { venue, max_silence_ms = 1_000 }: FaultRun,
  kind: MockKind,
  mock: MockVenue,
  symbols: readonly string[],
) {
  const feed = FEEDS[venue];
  const config = SOURCES.live.schema.parse({
    venue,
    connections: 1,
    symbols,
    channels: (kind.channels.includes("book") ? BOOK_CHANNELS : LAST_CHANNELS)
      .filter((channel) => feed.channels.includes(channel) && kind.channels.includes(channel)),
    token: feed.token_doc === undefined ? undefined : "a token of no account",
    ws_url: mock.ws_url,
    rest_url: mock.rest_url,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 200,
    max_silence_ms,
    first_data_ms: max_silence_ms / 2,
  });
  return { kind: "live", ...config };
}

/** Waits until nothing is missing; says what is when time is over. */
async function settle(
  hub: Hub,
  watchful: WatchfulReceiver,
  expected: Expectation,
  clock: Clock,
  until_ms: number,
): Promise<string[]> {
  for (;;) {
    const missing = expected.missing(hub, watchful);
    if (missing.length === 0 || clock.monotonic_ms() > until_ms) return missing;
    await sleep(clock, POLL_MS);
  }
}

/** What the consumer saw on the way: complaints, deltas that don't add up, trades twice or lost. */
function judgeStreams(
  { venue, whole = false }: FaultRun,
  kind: MockKind,
  mock: MockVenue,
  hub: Hub,
  watchful: WatchfulReceiver,
): string[] {
  const wrong: string[] = [];
  for (const symbol of mock.symbols) {
    const found = hub.book(venue, symbol);
    if (found?.in_sync) watchful.compare(symbol, found.book.bids, found.book.asks);
    if (kind.trades_have_ids) {
      wrong.push(...repeated(watchful.trade_ids.get(symbol) ?? []).map((one) => `${symbol}: ${one}`));
    }
    const trades = watchful.trades.get(symbol) ?? 0;
    const told = mock.state(symbol)?.trades;
    if (whole && kind.channels.includes("trades") && trades !== told) {
      wrong.push(`${symbol}: ${trades} trades came through, want ${told}`);
    }
  }
  return [...wrong, ...watchful.complaints];
}

function repeated(ids: readonly (number | string)[]): string[] {
  const seen = new Set<number | string>();
  for (const id of ids) {
    if (seen.has(id)) return [`trade ${id} published twice`];
    seen.add(id);
  }
  return [];
}

/** By family, and by family with its labels: `snapshot_requests_total` and `snapshot_requests_total{binance-spot,429}`. */
function countersOf(metrics: Metrics): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const family of metrics.families.values()) {
    if (family.kind !== "counter") continue;
    for (const { labels, value } of family.children.values()) {
      if (!("value" in value) || value.value === 0) continue;
      counters[family.name] = (counters[family.name] ?? 0) + value.value;
      counters[`${family.name}{${labels.join(",")}}`] = value.value;
    }
  }
  return counters;
}
