/**
 * `connections: 2`: one of the two connections is cut again and again, in turn, and what the gateway publishes is the
 * clean run, update by update: no loss, no repeat, never out of sync (but where the recorded market outruns what a
 * snapshot tells, with one connection as with two). Short form: the fixture captures, a cut every
 * 400 ms. `--long`: the recorded captures stretched over a minute, a cut every second.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { Receiver } from "../../lib/flow/hub.ts";
import { MOCKS } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import { captureTest, is_long } from "../services.ts";
import { CuttingRelay } from "./cutting_relay.ts";
import { WatchfulReceiver } from "./watchful_receiver.ts";

const HASHED_LEVELS = 50;
const VENUES = ["binance-futures", "binance-spot"] as const;

/** Every book and trade as it was published, in order. */
class Written implements Receiver {
  readonly name = "written";
  readonly books = new Map<number, string>();
  readonly trades = new Map<number, string>();
  /** Why the book left sync, each time. */
  readonly left: string[] = [];
  /** Ids between the last book before and the first after each time out of sync. */
  readonly blind: [number, number][] = [];
  #newest_id = 0;
  #is_blind = true;

  offer(update: MarketUpdate): void {
    if (update.kind === "trade") {
      this.trades.set(update.trade_id!, `${update.price} ${update.quantity} ${update.aggressor}`);
    } else if (update.kind === "book_status") {
      if (!update.in_sync) {
        this.left.push(update.reason);
        this.blind.push([this.#newest_id, Infinity]);
        this.#is_blind = true;
      }
    } else if (update.kind === "book") {
      // A deeper snapshot laid under the live book is published at the id where the book stands: the top is the same.
      const { bids, asks } = update.book;
      let text = "";
      for (const side of [bids, asks]) {
        for (let i = 0; i < Math.min(side.size, HASHED_LEVELS); i++) {
          text += `${side.price(i)} ${side.quantity(i)}\n`;
        }
      }
      this.books.set(update.last_update_id, text);
      if (this.#is_blind && this.blind.length > 0) this.blind.at(-1)![1] = update.last_update_id;
      this.#is_blind = false;
      this.#newest_id = update.last_update_id;
    }
  }
}

interface Run {
  written: Written;
  watchful: WatchfulReceiver;
  cuts: number;
  missed: number;
  repeated: number;
}

async function run(
  venue: string,
  capture: string,
  options: { connections: number; speed: number; cut_every_ms?: number },
): Promise<Run> {
  const stop = new AbortController();
  const metrics = new Metrics();
  const written = new Written();
  const watchful = new WatchfulReceiver();
  const { connections, speed, cut_every_ms } = options;
  await using mock = await MOCKS[venue].open(
    {
      listen: "127.0.0.1:0",
      capture,
      symbols: [],
      speed,
      faults: [],
      seed: "redundancy",
      start_delay_ms: 1_000,
    },
    { clock: systemClock, log: silentLog, signal: stop.signal },
  );
  await using relay = await CuttingRelay.open(Number(new URL(mock.ws_url).port));
  const source = {
    kind: "live",
    venue,
    connections,
    symbols: [...mock.symbols],
    channels: ["book", "trades"],
    ws_url: `ws://127.0.0.1:${relay.port}`,
    rest_url: mock.rest_url,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 50,
    compression: false,
  };
  const gateway = await Gateway.start(
    { sources: [source], sinks: [], servers: [], drain_timeout_ms: 1_000 },
    { clock: systemClock, log: silentLog, metrics, version: "test", seed: "redundancy" },
  );
  gateway.hub.subscribe(written);
  gateway.hub.subscribe(watchful);
  const cutting = cut_every_ms === undefined
    ? undefined
    : systemClock.every(cut_every_ms, () => void (mock.stats().started && relay.cutOldest()));
  try {
    await mock.finished;
    // Without data a new connection proves nothing, and the last cut would be a true loss of all.
    cutting?.cancel();
    await sleep(systemClock, 1_000);
    const tally = (result: string) => {
      let sum = 0;
      for (
        const { labels, value } of metrics.families.get("feed_leg_updates_total")?.children.values() ?? []
      ) {
        if (labels[2] === result && "value" in value) sum += value.value;
      }
      return sum;
    };
    await sleep(systemClock, connections > 1 ? 2_000 : 0);
    return { written, watchful, cuts: relay.cuts, missed: tally("missed"), repeated: tally("repeated") };
  } finally {
    cutting?.cancel();
    stop.abort();
    await gateway[Symbol.asyncDispose]();
  }
}

/** From where both had begun, the same things in the same order; `blind`: ids that one of the runs could not see. */
function sameFrom(
  what: string,
  cut: Map<number, string>,
  clean: Map<number, string>,
  blind: readonly [number, number][],
): string {
  const first = Math.max([...cut.keys()][0], [...clean.keys()][0]);
  const is_seen = (id: number) => id >= first && !blind.some(([from, to]) => id > from && id <= to);
  const rest = (map: Map<number, string>) => [...map].filter(([id]) => is_seen(id));
  const [found, wanted] = [rest(cut), rest(clean)];
  assert.ok(wanted.length > 20, `${what}: too few to compare: ${wanted.length}`);
  const ids = (list: [number, string][]) => list.map(([id]) => id);
  assert.deepEqual(ids(found), ids(wanted), what);
  const hash = (list: [number, string][]) => createHash("sha256").update(JSON.stringify(list)).digest("hex");
  assert.equal(hash(found), hash(wanted), what);
  return `${wanted.length} of ${clean.size} ${what} ${hash(found).slice(0, 16)}`;
}

async function check(
  venue: string,
  capture: string,
  speed: number,
  cut_every_ms: number,
): Promise<void> {
  const clean = await run(venue, capture, { connections: 1, speed });
  const cut = await run(venue, capture, { connections: 2, speed, cut_every_ms });
  // With one connection as with two: the market itself outran what a snapshot tells.
  assert.deepEqual(cut.written.left, clean.written.left, "never out of sync for want of a connection");
  assert.ok(cut.written.left.every((reason) => reason === "beyond known depth"), String(cut.written.left));
  const blind = [...cut.written.blind, ...clean.written.blind];
  const proof = [
    sameFrom("books", cut.written.books, clean.written.books, blind),
    sameFrom("trades", cut.written.trades, clean.written.trades, []),
  ];
  assert.deepEqual(cut.watchful.complaints, []);
  assert.ok(cut.cuts >= 4, `only ${cut.cuts} cuts`);
  assert.ok(cut.missed > 0, "the legs that were cut missed something, and the report says so");
  assert.ok(cut.repeated > 0);
  const line = `${venue}: ${cut.cuts} cuts, ${cut.missed} missed by one leg; ${proof.join("; ")}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

for (const venue of VENUES) {
  const capture = new URL(`../../fixtures/feeds/${venue}/capture.ndjson`, import.meta.url).pathname;
  Deno.test(`${venue}: two connections, cut in turn, publish the clean run`, () =>
    check(venue, capture, 1, 400));
  if (is_long) {
    captureTest(
      `${venue} recorded: two connections, cut every second for a minute, publish the clean run`,
      (folder) => check(venue, `${folder}/${venue}_btcusdt_20240808.gz`, 5.75, 1_000),
    );
  }
}
