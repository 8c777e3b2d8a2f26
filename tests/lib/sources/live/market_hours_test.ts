/**
 * Silence of a live venue by New York's clock: a real socket that says nothing, a whole gateway, and time told by hand.
 * Closed: no subscription anew, no new connection, ready. At the opening: waited for as long as any new stream.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import type { Hub } from "../../../../lib/flow/hub.ts";
import { FEEDS } from "../../../../lib/gateway/catalog.ts";
import { Gateway } from "../../../../lib/gateway/gateway.ts";
import { live } from "../../../../lib/sources/live/mod.ts";

/** AAPL at 451.2; see fixtures of the feed. */
const AAPL_FRAME = "CgRBQVBMFZqZ4UMYoI+hlvlcKgNOTVMwCDgBRXIUSr9IyOXZDmWAwmXA2AEE";
const FIRST_DATA_MS = 60_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Pings come once in a step: without them the line would be given up after two. */
const STEP_MS = 10 * MINUTE_MS;

/** What the venue saw and the gateway thinks. */
class Night implements AsyncDisposable {
  connections = 0;
  /** Streams that were asked for anew: unsubscribed, that is. */
  renewed: string[] = [];
  readonly clock: ManualClock;
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  #gateway: Gateway | undefined;
  #socket: WebSocket | undefined;

  constructor(start: string) {
    this.clock = new ManualClock(Temporal.Instant.from(start).epochMilliseconds);
  }
  static async begin(start: string, symbols: string[], config: Record<string, unknown> = {}): Promise<Night> {
    const night = new Night(start);
    await night.#open({ symbols, ...config });
    return night;
  }
  get hub(): Hub {
    return this.#gateway!.hub;
  }
  get reasons(): string[] {
    return this.hub.readiness().reasons;
  }
  reason(symbol: string): string {
    return this.hub.book("yahoo", symbol)!.reason;
  }
  /** Lets time pass in silence, but for the line's own pings. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(left, STEP_MS));
      await this.settle();
    }
  }
  /** Until both sides have read what the other one wrote. */
  async settle(): Promise<void> {
    const socket = this.#socket!;
    const pong = once(socket, "pong");
    socket.ping();
    await pong;
  }
  async say(frame: string): Promise<void> {
    this.#socket!.send(frame);
    await this.settle();
  }
  /** The venue hangs up; resolves once the gateway is there again. */
  async cut(): Promise<void> {
    const connected = once(this.#server, "connection");
    this.#socket!.close(1001);
    while (!this.reasons.join().includes("not connected")) await nextTurn();
    this.clock.advance(2 * MINUTE_MS);
    await connected;
    await this.settle();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
    await new Promise((resolve) => this.#server.close(resolve));
    assert.equal(this.clock.pending, 0, "timers are left");
  }

  async #open(config: Record<string, unknown>): Promise<void> {
    const server = this.#server;
    await once(server, "listening");
    server.on("connection", (socket: WebSocket) => {
      this.connections++;
      this.#socket = socket;
      socket.on("message", (data) => this.renewed.push(...JSON.parse(data.toString()).unsubscribe ?? []));
    });
    const ws_url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const section = live.schema.parse({
      venue: "yahoo",
      ws_url,
      first_data_ms: FIRST_DATA_MS,
      max_silence_ms: 2 * STEP_MS,
      lifetime_ms: 7 * 24 * HOUR_MS,
      ...config,
    });
    const connected = once(server, "connection");
    this.#gateway = await Gateway.start(
      { sources: [{ kind: "live", ...section }], sinks: [], servers: [], drain_timeout_ms: 1_000 },
      { clock: this.clock, log: silentLog, metrics: new Metrics(), version: "test", seed: "night" },
    );
    await connected;
    await this.settle();
  }
}

Deno.test("market hours: a silent night is no fault; the opening starts the watch anew", async () => {
  await using night = await Night.begin("2026-11-24T19:59:30-05:00", ["AAPL", "MSFT"]);
  await night.say(AAPL_FRAME);
  assert.deepEqual(night.reasons, ["yahoo MSFT: no data: no data yet"]);
  await night.pass(30 * SECOND_MS);
  assert.deepEqual(night.reasons, []);
  assert.deepEqual([night.reason("AAPL"), night.reason("MSFT")], ["market closed", "market closed"]);
  await night.pass(8 * HOUR_MS - 1);
  assert.deepEqual([night.connections, night.renewed, night.reasons], [1, [], []]);
  await night.pass(1 + FIRST_DATA_MS - SECOND_MS);
  assert.deepEqual(night.reasons, ["yahoo MSFT: no data: no data yet"], "04:00 in New York");
  assert.deepEqual([night.connections, night.renewed], [1, []]);
  await night.pass(2 * SECOND_MS);
  assert.deepEqual([night.connections, night.renewed.sort()], [1, ["AAPL", "MSFT"]]);
});

Deno.test("market hours: who speaks at the opening is not asked again", async () => {
  await using night = await Night.begin("2026-11-25T03:59:00-05:00", ["AAPL", "MSFT"]);
  await night.pass(MINUTE_MS + SECOND_MS);
  await night.say(AAPL_FRAME);
  await night.pass(FIRST_DATA_MS);
  assert.deepEqual(night.renewed, ["MSFT"]);
});

Deno.test("market hours: a line that was cut at night comes back, and is ready without data", async () => {
  await using night = await Night.begin("2026-11-24T19:59:30-05:00", ["AAPL"]);
  await night.say(AAPL_FRAME);
  await night.pass(HOUR_MS);
  await night.cut();
  await night.pass(2 * HOUR_MS);
  assert.deepEqual([night.connections, night.renewed, night.reasons], [2, [], []]);
});

Deno.test("market hours: a line that proves nothing is given up at night too", async () => {
  await using night = await Night.begin("2026-11-24T21:00-05:00", ["AAPL"]);
  // No step between: the pong never gets its turn.
  night.clock.advance(3 * STEP_MS);
  assert.match(night.reasons.join(), /not connected/);
});

Deno.test("market hours: a holiday and a closure of the config say why", async () => {
  await using holiday = await Night.begin("2026-11-26T10:00-05:00", ["AAPL", "^GSPC"]);
  await holiday.pass(HOUR_MS);
  assert.equal(holiday.reason("AAPL"), "market closed: Thanksgiving Day");
  assert.equal(holiday.reason("^GSPC"), "market closed: Thanksgiving Day");
  assert.deepEqual([holiday.connections, holiday.renewed, holiday.reasons], [1, [], []]);
  await using closure = await Night.begin("2026-12-02T10:00-05:00", ["AAPL"], {
    closures: { "2026-12-02": "day of mourning" },
  });
  await closure.pass(HOUR_MS);
  assert.equal(closure.reason("AAPL"), "market closed: day of mourning");
  assert.deepEqual([closure.connections, closure.renewed, closure.reasons], [1, [], []]);
});

Deno.test("market hours: an index is silent before the regular session, a share is not", async () => {
  await using night = await Night.begin("2026-11-25T08:00-05:00", ["^GSPC", "AAPL"]);
  assert.equal(night.reason("^GSPC"), "outside the regular session: pre");
  await night.pass(FIRST_DATA_MS + SECOND_MS);
  assert.deepEqual(night.renewed, ["AAPL"]);
});

Deno.test("market hours: a night session of the config is watched", async () => {
  await using night = await Night.begin("2026-11-24T20:30-05:00", ["AAPL"], { overnight_start: "21:00" });
  await night.pass(30 * MINUTE_MS + FIRST_DATA_MS - SECOND_MS);
  assert.deepEqual(night.renewed, []);
  await night.pass(2 * SECOND_MS);
  assert.deepEqual(night.renewed, ["AAPL"]);
});

// Clocks go back on 2026-11-01 and forward on 2026-03-08: the week opens at 17:00 of the new time.
for (const opening of ["2026-11-01T22:00:00Z", "2026-03-08T21:00:00Z"]) {
  Deno.test(`market hours: forex opens on a Sunday when clocks change, at ${opening}`, async () => {
    const start = Temporal.Instant.from(opening).subtract({ hours: 2 }).toString();
    await using night = await Night.begin(start, ["EURUSD=X"]);
    assert.equal(night.reason("EURUSD=X"), "market closed: weekend");
    await night.pass(2 * HOUR_MS + FIRST_DATA_MS - SECOND_MS);
    assert.deepEqual(night.renewed, []);
    await night.pass(2 * SECOND_MS);
    assert.deepEqual(night.renewed, ["EURUSD=X"]);
  });
}

Deno.test("market hours: thin days of forex are silent, coins and unknown markets never", async () => {
  await using night = await Night.begin("2026-12-25T10:00-05:00", ["EURUSD=X", "BTC-USD", "ES=F"]);
  assert.equal(night.reason("EURUSD=X"), "market thin: Christmas Day");
  await night.pass(FIRST_DATA_MS + SECOND_MS);
  assert.deepEqual(night.renewed.sort(), ["BTC-USD", "ES=F"]);
  assert.deepEqual(night.reasons, [
    "yahoo BTC-USD: no data: no data yet",
    "yahoo ES=F: no data: no data yet",
  ]);
});

Deno.test("market hours: refused in the config of a venue that always trades", () => {
  const context = {
    name: "live",
    clock: new ManualClock(0),
    log: silentLog,
    metrics: new Metrics(),
    seed: "hours",
    feeds: FEEDS,
  };
  const config = live.schema.parse({ venue: "kraken", symbols: ["BTC/USD"], overnight_start: "20:00" });
  assert.throws(() => live.create(config, context), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /"overnight_start" is set, want it only .* kraken always trades$/);
    return error.code === 2;
  });
  for (const wrong of [{ overnight_start: "9pm" }, { closures: { "2026-13-01": "x" } }]) {
    assert.ok(!live.schema.safeParse({ venue: "yahoo", symbols: ["AAPL"], ...wrong }).success);
  }
});
