/**
 * One run of a gateway against a mock venue with faults: from a capture at full speed, in this process, until the book
 * stands where the capture ends. Reports what happened and what was wrong.
 */
import { type Clock, sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { BookState } from "../../lib/flow/hub.ts";
import { FEEDS, MOCKS } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import type { Fault, FaultSpec, MockStats } from "../../lib/mocks/mock.ts";
import { cleanBooks, firstDifference } from "./clean_book.ts";
import { WatchfulReceiver } from "./watchful_receiver.ts";

export interface FaultRun {
  venue: string;
  capture: string;
  faults: readonly (Fault | FaultSpec)[];
  seed: string;
  /** Give up after this long. */
  limit_ms: number;
  /** Market seconds per second. */
  speed?: number;
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

export async function runWithFaults(options: FaultRun, clock: Clock = systemClock): Promise<FaultReport> {
  const { venue, capture, faults, seed, limit_ms, speed = Infinity } = options;
  const started_ms = clock.monotonic_ms();
  const stop = new AbortController();
  const metrics = new Metrics();
  await using mock = await MOCKS[venue].open(
    { listen: "127.0.0.1:0", capture, symbols: [], speed, faults, seed, start_delay_ms: 200 },
    { clock, log: silentLog, signal: stop.signal },
  );
  const clean = await cleanBooks(FEEDS[venue], capture);
  const watchful = new WatchfulReceiver();
  const source = {
    kind: "live",
    venue,
    symbols: [...clean.keys()],
    channels: ["book", "trades", "quote"],
    ws_url: mock.ws_url,
    rest_url: mock.rest_url,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 200,
    max_silence_ms: 1_000,
    first_data_ms: 500,
    compression: false,
  };
  const gateway = await Gateway.start(
    { sources: [source], sinks: [], servers: [], drain_timeout_ms: 1_000 },
    { clock, log: silentLog, metrics, version: "test", seed },
  );
  gateway.hub.subscribe(watchful);
  try {
    const wrong = await settle(gateway, clean, clock, started_ms + limit_ms);
    for (const [symbol, want] of clean) {
      const found = gateway.hub.book(venue, symbol);
      if (found?.in_sync) {
        wrong.push(...differences(symbol, found, want));
        watchful.compare(symbol, found.book.bids, found.book.asks);
      }
      for (const difference of repeated(watchful.trade_ids.get(symbol) ?? [])) {
        wrong.push(`${symbol}: ${difference}`);
      }
    }
    wrong.push(...watchful.complaints);
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

/** Waits until every book is in sync at the capture's last id; says which are not when time is over. */
async function settle(
  gateway: Gateway,
  clean: ReadonlyMap<string, BookState>,
  clock: Clock,
  until_ms: number,
): Promise<string[]> {
  for (;;) {
    const waiting = [...gateway.hub.books()].filter((book) =>
      !book.in_sync || book.last_update_id !== clean.get(book.symbol)!.last_update_id
    );
    if (waiting.length === 0) return [];
    if (clock.monotonic_ms() > until_ms) {
      return waiting.map((book) =>
        `${book.symbol}: ${
          book.in_sync ? "in sync" : `out of sync (${book.reason})`
        } at ${book.last_update_id}, ` +
        `want ${clean.get(book.symbol)!.last_update_id}`
      );
    }
    await sleep(clock, POLL_MS);
  }
}

function differences(symbol: string, found: BookState, want: BookState): string[] {
  const wrong: string[] = [];
  for (const side of ["bids", "asks"] as const) {
    const difference = firstDifference(found.book[side], want.book[side]);
    if (difference !== undefined) wrong.push(`${symbol} ${side} ${difference}`);
  }
  return wrong;
}

function repeated(ids: readonly number[]): string[] {
  const seen = new Set<number>();
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
