/** A client that does not read costs bounded memory, holds nobody up for ever, and is counted. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { FaultPlan } from "../../../../lib/mocks/stage/fault_plan.ts";
import { Outlet } from "../../../../lib/mocks/stage/outlet.ts";
import { binanceWords } from "../../../../lib/mocks/binance/corruption_words.ts";
import { binanceSpot } from "../../../../lib/mocks/binance/spot.ts";
import { WireFrame } from "../../../../lib/mocks/stage/wire_frame.ts";
import { parseFaults } from "../../../../lib/mocks/fault_spec.ts";
import { VenueClient } from "../binance/venue_client.ts";

/** A socket that takes bytes only when told to. */
class StuckSocket extends Duplex {
  readonly taken: Uint8Array[] = [];
  #done: (() => void) | undefined;

  override _read(): void {}
  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.taken.push(bytes);
    this.#done = done;
  }
  release(): void {
    this.#done?.();
  }
}

function openOutlet(faults: string[], clock = new ManualClock()) {
  const socket = new StuckSocket();
  const plan = new FaultPlan(parseFaults(faults), "1");
  return {
    socket,
    clock,
    outlet: new Outlet({ socket, clock, faults: plan, slot: 0, words: binanceWords, disconnect() {} }),
  };
}

Deno.test("an outlet knows what its socket has not taken, and says when it has", async () => {
  const { outlet, socket } = openOutlet([]);
  outlet.deliver("a@trade", new WireFrame("{}"), 0);
  assert.equal(outlet.queued_bytes, 0);
  outlet.flush();
  assert.equal(outlet.queued_bytes, 2 + "{}".length);
  const drained = outlet.whenBelow(1);
  socket.release();
  await drained;
  assert.equal(outlet.queued_bytes, 0);
});

Deno.test("a delayed connection gives its frames up after a second at the latest, in order", async () => {
  const { outlet, socket, clock } = openOutlet(["delay=1"]);
  for (let i = 0; i < 3; i++) outlet.deliver("a@trade", new WireFrame(String(i)), i);
  outlet.flush();
  assert.deepEqual(socket.taken, []);
  clock.advance(1_000);
  await nextTurn();
  assert.deepEqual([...socket.taken[0]], [0x81, 1, 48, 0x81, 1, 49, 0x81, 1, 50]);
  assert.equal(clock.pending, 0);
  outlet.close();
});

async function openUnreadVenue(speed: number) {
  const clock = new ManualClock();
  const options = { symbols: [], speed, faults: [], seed: "1", rate_per_s: 20_000, listen: "127.0.0.1:0" };
  const signal = new AbortController().signal;
  const venue = await binanceSpot.open(options, { clock, log: silentLog, signal });
  const client = await VenueClient.open(`${venue.ws_url}/stream?streams=btcusdt@depth/btcusdt@bookTicker`);
  client.socket.pause();
  return { clock, venue, client };
}

Deno.test("at full speed the tape waits for a client that does not read, and cuts it after 30 s", async () => {
  const { clock, venue, client } = await openUnreadVenue(Infinity);
  for (let still = 0, seen = -1; still < 100; await nextTurn()) {
    still = venue.stats().position === seen ? still + 1 : 0;
    seen = venue.stats().position;
  }
  clock.advance(29_999);
  await nextTurn();
  assert.deepEqual([venue.stats().clients, venue.stats().slow_clients_cut], [1, 0]);
  const stopped_at = venue.stats().position;
  clock.advance(1);
  while (venue.stats().position === stopped_at) await nextTurn();
  assert.deepEqual([venue.stats().clients, venue.stats().slow_clients_cut], [0, 1]);
  client.socket.resume();
  await client.closed;
  await venue[Symbol.asyncDispose]();
});

Deno.test("at the market's pace a client that does not read is cut and the market goes on", async () => {
  const { clock, venue, client } = await openUnreadVenue(1);
  while (venue.stats().clients > 0) {
    // Turns enough to send what falls due, or the pings' own limit (60 s without a pong) would come first.
    clock.advance(20);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
  }
  assert.equal(venue.stats().slow_clients_cut, 1);
  client.socket.resume();
  await client.closed;
  await venue[Symbol.asyncDispose]();
});
