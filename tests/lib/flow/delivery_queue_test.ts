import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { type DeliveryLimits, WriteRejected } from "../../../lib/flow/delivery_target.ts";
import { FakeConnection, FakeMarket, type FakeMessage, MESSAGE_BYTES, reactions } from "./fake_delivery.ts";

const SMALL: Partial<DeliveryLimits> = { max_trades: 60, max_batch: 16, max_writes: 3, lag_messages: 24 };
const SYMBOLS = ["A", "B", "C", "D"];

function setUp(limits: Partial<DeliveryLimits> = SMALL) {
  const connection = new FakeConnection();
  return { connection, market: new FakeMarket(connection, limits) };
}
const idsOf = (messages: readonly FakeMessage[], kind: string, symbol?: string) =>
  messages.filter((m) => m.kind === kind && (symbol === undefined || m.symbol === symbol)).map((m) => m.id);
const increasing = (ids: number[]) => ids.every((id, i) => i === 0 || ids[i - 1] < id);

async function drain({ connection, market }: ReturnType<typeof setUp>): Promise<void> {
  connection.ready = true;
  market.queue.wake();
  for (let i = 0; i < 1_000 && market.queue.queued > 0; i++) {
    connection.acknowledge();
    await reactions();
    market.clock.advance(1_000);
  }
}

/** One seeded run of offers, stalls and breaks. Throws where a promise of the queue is broken. */
async function run(seed: number, connection = new FakeConnection()): Promise<{ lagged: boolean }> {
  const random = new Random(seed);
  const max_bytes = random.pick([5_000, 12_000, 1_000_000]);
  const market = new FakeMarket(connection, { ...SMALL, max_bytes });
  const { queue } = market;
  let lagged = false;
  for (let step = 0; step < 300; step++) {
    const symbol = random.pick(SYMBOLS);
    const burst = random.chance(0.1) ? random.integer(1, 50) : 1;
    for (let i = 0; i < burst; i++) {
      const dice = random.unit();
      if (dice < 0.4) market.book(symbol);
      else if (dice < 0.75) market.trade(symbol);
      else if (dice < 0.9) market.quote(symbol);
      else market.status(symbol, random.chance(0.6));
    }
    if (random.chance(0.7)) queue.flush();
    if (random.chance(0.5)) connection.acknowledge();
    if (random.chance(0.05)) connection.break(random.integer(0, 16));
    await reactions();
    if (!connection.ready && random.chance(0.2)) {
      connection.ready = true;
      if (random.chance(0.5)) queue.wake();
    }
    await reactions();
    market.clock.advance(random.integer(0, 200));
    lagged ||= queue.lagging;
    const in_flight = connection.writes.reduce((sum, write) => sum + write.messages.length, 0);
    assert.ok(connection.writes.length <= 3);
    assert.ok(queue.queued - in_flight <= 60 + 2 * SYMBOLS.length, `queued ${queue.queued}`);
    assert.ok(queue.queued_bytes <= max_bytes + 16 * MESSAGE_BYTES, `bytes ${queue.queued_bytes}`);
  }
  for (const symbol of SYMBOLS) market.status(symbol, true);
  await drain({ connection, market });
  assert.equal(queue.queued, 0);
  assert.equal(queue.queued_bytes, 0);
  check(market, connection);
  assert.equal(await queue.close(0), 0);
  assert.equal(market.clock.pending, 0, "a timer is left");
  return { lagged };
}

function check(market: FakeMarket, connection: FakeConnection): void {
  const { arrived } = connection;
  assert.ok(increasing(idsOf(arrived, "trade")), "trades out of order or doubled");
  for (const [symbol, state] of market.books) {
    const books = idsOf(arrived, "book", symbol);
    assert.ok(books.every((id, i) => i === 0 || books[i - 1] <= id), "an older book overtook a newer one");
    if (state.sequence > 0) assert.equal(books.at(-1), state.sequence, "the last book did not arrive");
    assert.ok(increasing(idsOf(arrived, "quote", symbol)), "an older quote overtook a newer one");
    assert.ok(increasing(idsOf(arrived, "book_status", symbol)), "statuses out of order");
    let in_sync = true;
    for (const message of arrived) {
      if (message.symbol !== symbol) continue;
      if (message.kind === "book_status") in_sync = message.in_sync!;
      else if (message.kind === "book" && !lostStatus(market)) {
        assert.ok(in_sync, "a book of an unsynced time");
      }
    }
  }
  const { book, trade, quote, book_status } = market.offered;
  const dropped = market.count("sink_dropped_total");
  const published = market.count("sink_published_total");
  const conflated = market.count("sink_conflated_total");
  assert.equal(published, arrived.length, "published is not what arrived");
  assert.equal(published + dropped + conflated, book + trade + quote + book_status, "counters don't add up");
  if (dropped === 0) assert.equal(idsOf(arrived, "trade").length, trade);
}
const lostStatus = (market: FakeMarket) =>
  (market.metrics.families.get("sink_dropped_total")!.children.get("fake\u0000book_status")!.value as {
    value: number;
  }).value > 0;

Deno.test("random stalls and breaks: order, last books, bounds and counters hold", async () => {
  let lagged = 0;
  for (let seed = 0; seed < 150; seed++) {
    try {
      if ((await run(seed)).lagged) lagged++;
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(lagged > 50, "the runs hardly lag: they prove little");
});

Deno.test("canary: a connection that swallows or swaps messages is found out", async () => {
  class Swallows extends FakeConnection {
    override acknowledge(): void {
      super.acknowledge();
      if (this.arrived.length > 100) this.arrived.splice(50, 1);
    }
  }
  class Swaps extends FakeConnection {
    override acknowledge(): void {
      if (this.writes.length > 1) this.writes.push(this.writes.shift()!);
      super.acknowledge();
    }
  }
  await assert.rejects(async () => {
    for (let seed = 0; seed < 20; seed++) await run(seed, new Swallows());
  }, /published is not what arrived|did not arrive/);
  await assert.rejects(async () => {
    for (let seed = 0; seed < 20; seed++) await run(seed, new Swaps());
  }, /out of order|overtook/);
});

Deno.test("on time nothing is conflated and writes carry what a batch gathered", async () => {
  const { connection, market } = setUp();
  market.book("A");
  market.book("A");
  market.trade("A");
  assert.equal(connection.writes.length, 0);
  market.queue.flush();
  assert.deepEqual(connection.writes[0].messages.map((m) => m.kind), ["book", "book", "trade"]);
  connection.acknowledge();
  await reactions();
  assert.equal(market.queue.queued, 0);
  assert.equal(market.count("sink_conflated_total"), 0);
  await market.queue.close(0);
});

Deno.test("while the target is away books cost a mark, not an encoding", async () => {
  const { connection, market } = setUp();
  connection.ready = false;
  market.book("A");
  market.queue.flush();
  const before = connection.encoded;
  for (let i = 0; i < 1_000; i++) market.book("A");
  assert.equal(connection.encoded, before);
  assert.equal(market.queue.queued, 1);
  await drain({ connection, market });
  assert.deepEqual(idsOf(connection.arrived, "book"), [1_001]);
  await market.queue.close(0);
});

Deno.test("the oldest trades go at the bound, counted", async () => {
  const { connection, market } = setUp();
  connection.ready = false;
  for (let i = 0; i < 100; i++) market.trade("A");
  market.queue.flush();
  await drain({ connection, market });
  assert.deepEqual(idsOf(connection.arrived, "trade"), Array.from({ length: 60 }, (_, i) => i + 41));
  assert.equal(market.count("sink_dropped_total"), 40);
  await market.queue.close(0);
});

Deno.test("a refused message is dropped, the rest of its batch is not written twice", async () => {
  const { connection, market } = setUp();
  for (let i = 0; i < 4; i++) market.trade("A");
  market.queue.flush();
  const [write] = connection.writes.splice(0);
  write.reject(new WriteRejected("no permission", [2], [1]));
  await reactions();
  await drain({ connection, market });
  assert.deepEqual(idsOf(connection.arrived, "trade"), [3]);
  assert.equal(market.count("sink_dropped_total"), 1);
  assert.equal(market.count("sink_published_total"), 3);
  await market.queue.close(0);
});

Deno.test("a write without an answer is given up after its deadline", async () => {
  const { connection, market } = setUp({ ...SMALL, write_timeout_ms: 1_000 });
  market.trade("A");
  market.queue.flush();
  market.clock.advance(1_000);
  await reactions();
  assert.equal(market.count("sink_errors_total"), 1);
  connection.writes.length = 0;
  await drain({ connection, market });
  assert.deepEqual(idsOf(connection.arrived, "trade"), [1]);
  await market.queue.close(0);
});

Deno.test("close delivers what is queued, and counts what it could not", async () => {
  const one = setUp();
  one.market.trade("A");
  const closed = one.market.queue.close(5_000);
  one.connection.acknowledge();
  assert.equal(await closed, 0);
  assert.equal(one.connection.arrived.length, 1);

  const other = setUp();
  other.connection.ready = false;
  for (let i = 0; i < 5; i++) other.market.trade("A");
  other.market.book("B");
  other.market.queue.flush();
  const late = other.market.queue.close(5_000);
  other.market.clock.advance(5_000);
  assert.equal(await late, 6);
  assert.equal(other.market.count("sink_dropped_total"), 6);
  assert.equal(other.market.clock.pending, 0);
});

Deno.test("close at its deadline counts what was in flight", async () => {
  const { connection, market } = setUp();
  for (let i = 0; i < 20; i++) market.trade("A");
  market.queue.flush();
  const closed = market.queue.close(100);
  market.clock.advance(100);
  assert.equal(await closed, 20);
  assert.equal(market.count("sink_dropped_total"), 20);
  connection.acknowledge();
  await reactions();
  assert.equal(market.count("sink_published_total"), 0);
  market.trade("A");
  assert.equal(market.queue.queued, 0);
});

Deno.test("a sink that throws while encoding harms nobody", async () => {
  const { connection, market } = setUp();
  connection.encode = () => {
    throw new Error("bad");
  };
  market.trade("A");
  assert.equal(market.count("sink_dropped_total"), 1);
  await market.queue.close(0);
});

Deno.test("with linger a small batch waits for more, a full one and a closing queue do not", async () => {
  const { connection, market } = setUp({ ...SMALL, max_writes: 1, linger_ms: 100 });
  const { queue, clock } = market;
  market.trade("A");
  queue.flush();
  clock.advance(99);
  assert.equal(connection.writes.length, 0, "written before its time");
  market.trade("A");
  clock.advance(1);
  assert.deepEqual(connection.writes.map(({ messages }) => messages.length), [2]);
  connection.acknowledge();
  await reactions();
  for (let i = 0; i < 16; i++) market.trade("A");
  queue.flush();
  assert.deepEqual(connection.writes.map(({ messages }) => messages.length), [16], "a full batch waited");
  connection.acknowledge();
  await reactions();
  market.trade("A");
  const closing = queue.close(1_000);
  assert.equal(connection.writes.length, 1, "the last batch waited");
  connection.acknowledge();
  await reactions();
  assert.equal(await closing, 0);
  assert.equal(clock.pending, 0, "a timer is left");
});

Deno.test("a target that accepts while it is not connected is written to, one that does not accept is not", async () => {
  class Spooling extends FakeConnection {
    open = true;
    accepts(): boolean {
      return this.open;
    }
  }
  const connection = new Spooling();
  connection.ready = false;
  const market = new FakeMarket(connection, SMALL);
  market.trade("A");
  market.queue.flush();
  assert.equal(connection.writes.length, 1);
  connection.acknowledge();
  await reactions();
  connection.open = false;
  connection.ready = true;
  market.trade("A");
  market.queue.flush();
  assert.equal(connection.writes.length, 0);
  connection.open = true;
  market.queue.wake();
  connection.acknowledge();
  await reactions();
  assert.equal(await market.queue.close(0), 0);
});
