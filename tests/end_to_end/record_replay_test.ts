/**
 * Record → replay: what a gateway published live, with faults on the line, comes out of its recording byte by byte, at
 * full speed and paced, with one connection and with two.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { MOCKS } from "../../lib/gateway/catalog.ts";
import { composedConfig } from "../../lib/gateway/config_schema.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import type { Fault, FaultSpec, MockOptions } from "../../lib/mocks/mock.ts";
import { RecordedVenue } from "../../lib/mocks/recorded/recorded_venue.ts";
import { Recorder } from "../../lib/recorder/recorder.ts";
import { until } from "./until.ts";
import { WrittenUpdates } from "./written_updates.ts";

const world = () => ({
  clock: systemClock,
  log: silentLog,
  metrics: new Metrics(),
  version: "test",
  seed: "test",
});

interface Story {
  venue: string;
  market: Partial<MockOptions>;
  faults: readonly (Fault | FaultSpec)[];
  connections?: number;
  segment_bytes?: number;
  /** Whether enough has come. */
  done(written: WrittenUpdates): boolean;
}

/** Runs a gateway on a mock venue with a recorder at its tap; what it published. */
async function recordStory(directory: string, story: Story): Promise<WrittenUpdates> {
  const stop = new AbortController();
  await using mock = await MOCKS[story.venue].open(
    {
      listen: "127.0.0.1:0",
      symbols: [],
      speed: 1,
      seed: "7",
      start_delay_ms: 100,
      faults: story.faults,
      ...story.market,
    },
    { clock: systemClock, log: silentLog, signal: stop.signal },
  );
  await using recorder = await Recorder.open({
    directory,
    segment_bytes: story.segment_bytes ?? 1e9,
    segment_ms: 3_600_000,
    keep: {},
    on_full: "wait",
    max_queue_bytes: 64 * 1024 * 1024,
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    version: "test",
  });
  const written = new WrittenUpdates();
  const config = composedConfig({
    sources: [{
      kind: "live",
      venue: story.venue,
      symbols: mock.symbols,
      ws_url: mock.ws_url,
      rest_url: mock.rest_url,
      connections: story.connections ?? 1,
      reconnect_delay_ms: 20,
      max_reconnect_delay_ms: 100,
    }],
  });
  await using gateway = await Gateway.start(config, { ...world(), tap: recorder });
  gateway.hub.subscribe(written);
  recorder.books = () => gateway.hub.books();
  await until("the story to be told", () => story.done(written), 30_000, () => JSON.stringify(written.kinds));
  return written;
}

async function replayStory(
  directory: string,
  more: Record<string, unknown> = {},
): Promise<WrittenUpdates> {
  const written = new WrittenUpdates();
  const config = composedConfig({ sources: [{ kind: "replay", path: directory, speed: "max", ...more }] });
  await using gateway = await Gateway.start(config, world());
  gateway.hub.subscribe(written);
  await gateway.ended;
  return written;
}

function assertSame(replayed: WrittenUpdates, live: WrittenUpdates, what: string): void {
  const at = live.lines.findIndex((line, i) => replayed.lines[i] !== line);
  if (at >= 0) {
    assert.equal(replayed.lines[at]?.slice(0, 400), live.lines[at].slice(0, 400), `${what}: line ${at}`);
  }
  assert.equal(replayed.count, live.count, what);
  assert.equal(replayed.digest(), live.digest(), what);
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-record-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const STORIES: Record<string, Story> = {
  "binance-futures, a bad line": {
    venue: "binance-futures",
    market: { interval_ms: 5, rate_per_s: 400 },
    faults: ["drop", "duplicate", "reorder", "disconnect", "corrupt"],
    segment_bytes: 100_000,
    done: ({ count, kinds }) => count > 2_000 && (kinds.book_status ?? 0) > 4,
  },
  "binance-spot, two connections": {
    venue: "binance-spot",
    market: { interval_ms: 5, rate_per_s: 400 },
    faults: ["disconnect", "delay"],
    connections: 2,
    done: ({ count }) => count > 2_000,
  },
  "kraken, checksums": {
    venue: "kraken",
    market: { interval_ms: 10, rate_per_s: 400 },
    faults: [{ name: "drop", rate: 0.01 }],
    done: ({ count, kinds }) => count > 1_000 && (kinds.book_status ?? 0) > 2,
  },
  "bybit-linear, snapshots in-band": {
    venue: "bybit-linear",
    market: { interval_ms: 10, rate_per_s: 200 },
    faults: [{ name: "drop", rate: 0.01 }, { name: "disconnect", rate: 0.001 }],
    done: ({ count, kinds }) => count > 1_000 && (kinds.book_status ?? 0) > 3,
  },
  "mexc-spot, protobuf": {
    venue: "mexc-spot",
    market: { interval_ms: 10, rate_per_s: 200 },
    faults: ["disconnect"],
    done: ({ count }) => count > 1_500,
  },
};

for (const [name, story] of Object.entries(STORIES)) {
  Deno.test(`record → replay gives the same bytes: ${name}`, async () => {
    await withFolder(async (folder) => {
      const live = await recordStory(folder, story);
      assertSame(await replayStory(folder), live, "at full speed");
      assertSame(await replayStory(folder), live, "at full speed, once more");
      assertSame(await replayStory(folder, { speed: 1 }), live, "at its own pace");
    });
  });
}

for (const name of ["kraken, checksums", "bybit-linear, snapshots in-band", "binance-futures, a bad line"]) {
  Deno.test(`a recording as its own venue ends with the same books: ${name}`, async () => {
    await withFolder(async (folder) => {
      const story = { ...STORIES[name], faults: [], segment_bytes: undefined };
      const live = await recordStory(folder, { ...story, done: ({ count }) => count > 800 });
      await using venue = await RecordedVenue.open(
        { path: folder, listen: "127.0.0.1:0", speed: Infinity },
        { clock: systemClock, log: silentLog },
      );
      const written = new WrittenUpdates();
      const symbols = [...new Set(live.lines.flatMap((line) => /"symbol":"([^"]+)"/.exec(line)?.[1] ?? []))];
      const config = composedConfig({
        sources: [{
          kind: "live",
          venue: story.venue,
          symbols,
          ws_url: venue.ws_url,
          rest_url: venue.rest_url,
        }],
      });
      await using gateway = await Gateway.start(config, world());
      gateway.hub.subscribe(written);
      const lastBooks = ({ lines }: WrittenUpdates) =>
        symbols.map((symbol) => {
          const last = lines.findLast((line) =>
            line.includes('"bids"') && line.includes(`"symbol":"${symbol}"`)
          );
          return last?.slice(last.indexOf("{"));
        });
      await until(
        "the same last books",
        () => lastBooks(written).every((book, i) => book === lastBooks(live)[i]),
        20_000,
        () => JSON.stringify([venue.stats(), written.kinds]),
      );
      assert.equal(venue.stats().frames_missed, 0);
    });
  });
}
