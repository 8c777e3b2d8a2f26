/**
 * What every sink must be, run over the registry against the real other side. A new sink brings one file,
 * tests/contracts/sinks/<kind>.ts with its `fixture` (sink_fixture.ts), and passes this suite unchanged.
 */
import assert from "node:assert/strict";
import { z } from "zod";
import { systemClock, withDeadline } from "../../lib/base/clock.ts";
import { DELIVERED } from "../../lib/flow/delivery_target.ts";
import * as registry from "../../lib/sinks/registry.ts";
import type { SinkKind } from "../../lib/sinks/sink.ts";
import { testUnless } from "../services.ts";
import type { Arrived, OtherSide, SinkFixture } from "./sink_fixture.ts";
import { eventually, PATIENCE_MS, SinkRig, type SinkRigOptions, TRADE } from "./sink_rig.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];
const KINDS: Readonly<Record<string, SinkKind>> = { ...registry };

const fixtures = new Map<string, SinkFixture>();
for (const { name, isFile } of Deno.readDirSync(new URL("sinks/", import.meta.url))) {
  if (!isFile) continue;
  const { fixture } = await import(new URL(`sinks/${name}`, import.meta.url).href);
  fixtures.set(name.replace(/\.ts$/, ""), fixture);
}

Deno.test("every sink brings its fixture, and every fixture has its sink", () => {
  assert.deepEqual([...fixtures.keys()].sort(), Object.keys(KINDS).sort());
});

/** One test a sink that needs no other side. */
function eachKind(name: string, body: (kind: SinkKind, fixture: SinkFixture) => void): void {
  for (const [word, fixture] of fixtures) {
    if (KINDS[word]) Deno.test(`sink ${word}: ${name}`, () => body(KINDS[word], fixture));
  }
}

interface Stage {
  kind: SinkKind;
  fixture: SinkFixture;
  other: OtherSide;
  open(options?: SinkRigOptions): Promise<SinkRig>;
}

/** One test a sink, with a new other side of its own. */
function eachSink(name: string, body: (stage: Stage) => Promise<void>): void {
  for (const [word, fixture] of fixtures) {
    const kind = KINDS[word];
    if (!kind) continue;
    testUnless(fixture.missing, `sink ${word}: ${name}`, async () => {
      await using other = await fixture.open();
      const rigs: SinkRig[] = [];
      const open = async ({ gate, limits }: SinkRigOptions = {}) => {
        const opening = SinkRig.open(kind, other.config, {
          limits,
          gate: () => other.readerAway?.() ?? gate?.(),
        });
        const rig = await withDeadline(systemClock, PATIENCE_MS, "connect", opening);
        rigs.push(rig);
        return rig;
      };
      try {
        await body({ kind, fixture, other, open });
      } catch (error) {
        // What a failed test leaves running must not fail the next one.
        for (const rig of rigs) await rig.close(0).catch(() => {});
        throw error;
      }
    });
  }
}

function idsOf(arrived: Arrived, symbol: string): number[] {
  return arrived.trades.filter((trade) => trade.symbol === symbol).map((trade) => trade.trade_id);
}
const unique = (ids: readonly number[]) => [...new Set(ids)];

/** The last trade of each symbol and its last book are there. */
function isComplete(rig: SinkRig, arrived: Arrived): boolean {
  for (const [symbol, ids] of rig.offered) {
    if (!idsOf(arrived, symbol).includes(ids.at(-1)!)) return false;
  }
  if (!arrived.books) return true;
  return rig.books.entries().every(([symbol, { sequence }]) => arrived.books!.get(symbol) === sequence);
}
const completed = (rig: SinkRig, other: OtherSide) =>
  eventually("all arrived", async () => isComplete(rig, await other.arrived()));

/** Property paths of a JSON Schema that lack a description. */
function undocumented(schema: unknown, path: string): string[] {
  const { properties, description, items, anyOf, oneOf } = schema as Record<string, unknown>;
  const parts: [string, unknown][] = Object.entries(properties ?? {});
  for (const choice of [...(anyOf ?? []) as unknown[], ...(oneOf ?? []) as unknown[]]) {
    if (typeof choice === "object" && choice !== null && "properties" in choice) parts.push(["", choice]);
  }
  if (typeof items === "object" && items !== null && "properties" in items) parts.push(["[]", items]);
  if (parts.length === 0) return description === undefined ? [path] : [];
  return parts.flatMap(([key, part]) => undocumented(part, key === "" ? path : `${path}.${key}`));
}

eachKind(
  "is registered under its own name, documented, and refuses what it does not know",
  (kind, fixture) => {
    assert.equal(KINDS[kind.name], kind);
    assert.match(kind.summary, /^.{10,100}[^.]$/);
    const json_schema = z.toJSONSchema(kind.schema, { io: "input", unrepresentable: "any" });
    assert.deepEqual(undocumented(json_schema, kind.name), [], "settings without a description");
    const unknown = kind.schema.safeParse({ surely_unknown: 1 });
    assert.ok(unknown.error?.issues.some((issue) => issue.code === "unrecognized_keys"));
    assert.ok(fixture.refused.length >= 3, "at least three wrong configs");
    for (const config of fixture.refused) {
      const { error } = kind.schema.safeParse(config);
      assert.ok(error, `taken: ${JSON.stringify(config)}`);
      for (const { message } of error.issues) {
        assert.ok(
          message.length > 5 && !message.endsWith("."),
          message,
        );
      }
    }
  },
);

eachSink(
  "delivers every trade once and in order, the last book, and counts what it published",
  async (stage) => {
    const rig = await stage.open();
    await rig.traffic(SYMBOLS, 200);
    await completed(rig, stage.other);
    await eventually("settled", () => rig.queue.queued === 0);
    assert.equal(rig.sink.notReady(), undefined);
    const arrived = await stage.other.arrived();
    for (const symbol of SYMBOLS) assert.deepEqual(idsOf(arrived, symbol), rig.offered.get(symbol));
    for (const { price, quantity } of arrived.trades) assert.deepEqual({ price, quantity }, TRADE);
    assert.equal(rig.count("sink_published_total", stage.kind.name, "trade"), 600);
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.equal(rig.count("sink_errors_total"), 0);
    assert.equal(await rig.close(), 0);
  },
);

eachSink("says which kinds it takes, and encodes no others", async (stage) => {
  const rig = await stage.open();
  const head = { venue: "v", symbol: "BTCUSDT", received_us: 1e15 };
  const quote = { bid: 1, bid_quantity: 1, ask: 2, ask_quantity: 1 };
  const bar = { interval: "1m", open_time_ms: 0, close_time_ms: 59_999, closed: true };
  const updates = [
    { kind: "quote", ...head, update_id: 1, ...quote },
    { kind: "ticker", ...head, last_price: 1 },
    { kind: "candle", ...head, ...bar, open: 1, high: 1, low: 1, close: 1, volume: 1 },
    { kind: "book_status", ...head, in_sync: false, reason: "gap" },
  ] as const;
  for (const update of updates) {
    const message = rig.sink.encode(update);
    if (rig.sink.takes?.(update.kind) === false) assert.equal(message, undefined, update.kind);
    if (message === DELIVERED) assert.ok(stage.fixture.never_waits, "queues nothing, and does not say so");
    else if (message !== undefined) assert.ok(rig.sink.sizeBytes(message) > 0);
  }
  await rig.close();
});

eachSink("close delivers what is queued, then lets go", async (stage) => {
  const rig = await stage.open();
  await eventually("ready", () => (stage.other.readerAway?.() ?? rig.sink.notReady()) === undefined);
  for (let i = 0; i < 500; i++) rig.trade(SYMBOLS[i % 3]);
  assert.equal(await withDeadline(systemClock, PATIENCE_MS, "close", rig.close()), 0);
  await completed(rig, stage.other);
  const arrived = await stage.other.arrived();
  for (const symbol of SYMBOLS) assert.deepEqual(idsOf(arrived, symbol), rig.offered.get(symbol));
});

eachSink(
  "held back it keeps the newest trades of its bound and the current book, and counts the rest",
  async (stage) => {
    if (stage.fixture.never_waits) return;
    let held: string | undefined = "held back by the test";
    const rig = await stage.open({ gate: () => held, limits: { max_trades: 120 } });
    await rig.traffic(SYMBOLS, 200);
    assert.ok(rig.queue.queued <= 120 + SYMBOLS.length, `queued ${rig.queue.queued}`);
    assert.equal(rig.count("sink_dropped_total", stage.kind.name, "trade"), 480);
    assert.equal(rig.count("sink_dropped_total", stage.kind.name, "book"), 0);
    assert.ok(rig.lines.some((line) => line.includes("dropped")), "a loss that nobody was told of");
    held = undefined;
    rig.queue.wake();
    await completed(rig, stage.other);
    const arrived = await stage.other.arrived();
    for (const symbol of SYMBOLS) {
      assert.deepEqual(
        idsOf(arrived, symbol),
        rig.offered.get(symbol)!.slice(-40),
      );
    }
    assert.equal(await rig.close(), 0);
  },
);

eachSink("a lost answer costs no trade and no order, and no repeat where it promises so", async (stage) => {
  if (stage.fixture.never_waits) return;
  const rig = await stage.open();
  for (let i = 0; i < 4; i++) {
    rig.lose_answers = 1;
    await rig.traffic(SYMBOLS, 20);
    await eventually("retried", () => rig.lose_answers === 0 && rig.queue.queued === 0);
  }
  await completed(rig, stage.other);
  assert.ok(rig.count("sink_errors_total") >= 4);
  assert.equal(await rig.close(), 0);
  const arrived = await stage.other.arrived();
  for (const symbol of SYMBOLS) {
    const ids = idsOf(arrived, symbol);
    const wanted = rig.offered.get(symbol);
    assert.deepEqual(unique(ids), wanted);
    if (stage.fixture.deduplicates) assert.deepEqual(ids, wanted);
  }
});

eachSink(
  "connects at once with the other side away, says so, and delivers when it is there",
  async (stage) => {
    const { remote } = stage.other;
    if (!remote) return;
    await remote.kill();
    const rig = await stage.open();
    await eventually("says that it is away", () => rig.sink.notReady() !== undefined);
    assert.match(rig.sink.notReady()!, /^[^\n]{10,300}$/);
    await rig.traffic(SYMBOLS, 10);
    await remote.start();
    await completed(rig, stage.other);
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.equal(await rig.close(), 0);
  },
);

eachSink("closes within its deadline with the other side away, and counts what is left", async (stage) => {
  const { remote } = stage.other;
  if (!remote) return;
  await remote.kill();
  const rig = await stage.open();
  await eventually("says that it is away", () => rig.sink.notReady() !== undefined);
  for (let i = 0; i < 10; i++) rig.trade("BTCUSDT");
  const left = await withDeadline(systemClock, PATIENCE_MS, "close", rig.close(50));
  assert.equal(left, rig.count("sink_dropped_total"));
});

eachSink(
  "kill -9 of the other side in mid-stream: trades in order, books right at the end",
  async (stage) => {
    const { other, fixture } = stage;
    if (!other.remote) return;
    const rig = await stage.open();
    // In mid-stream: a broker that dies while it makes a stream may never have it whole (README of rabbitmq_stream).
    await eventually("ready", () => rig.sink.notReady() === undefined);
    await rig.traffic(SYMBOLS, 50);
    const killed = other.remote.kill();
    await rig.traffic(SYMBOLS, 100);
    await killed;
    const at_kill = rig.trade_id;
    await rig.traffic(SYMBOLS, 50);
    await other.remote.start();
    await rig.traffic(SYMBOLS, 50);
    await completed(rig, other);
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.equal(await rig.close(), 0);
    const arrived = await other.arrived();
    for (const symbol of SYMBOLS) {
      const ids = idsOf(arrived, symbol);
      const wanted = rig.offered.get(symbol)!;
      const firsts = unique(ids);
      assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b), "out of order");
      if (fixture.deduplicates) assert.equal(ids.length, firsts.length, "twice");
      const kept = new Set(ids);
      const lost = wanted.filter((id) => !kept.has(id));
      if (fixture.keeps_acknowledged) assert.deepEqual(lost, []);
      else assert.ok(lost.every((id) => id <= at_kill), `lost after the kill: ${lost}`);
    }
  },
);

Deno.test("canary: the suite's own checks see what is missing", () => {
  const schema = z.strictObject({
    a: z.string(),
    b: z.strictObject({ c: z.int(), d: z.int().describe("said") }),
  });
  assert.deepEqual(undocumented(z.toJSONSchema(schema), "x"), ["x.a", "x.b.c"]);
  const rig = new SinkRig();
  rig.offered.set("A", [1, 2]);
  const trade = { symbol: "A", price: 1, quantity: 1 };
  assert.equal(isComplete(rig, { trades: [{ ...trade, trade_id: 1 }] }), false);
  assert.equal(isComplete(rig, { trades: [{ ...trade, trade_id: 2 }] }), true);
});
