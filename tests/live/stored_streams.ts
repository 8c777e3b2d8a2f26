/**
 * A steady market written to Redis streams at the rate that is asked of the gateway, and the check that what is stored
 * there is what was offered: every trade, in order, and the last books.
 */
import assert from "node:assert/strict";
import type { Cluster, Redis } from "ioredis";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import type { SinkRig } from "../contracts/sink_rig.ts";

export const SYMBOLS = Array.from({ length: 12 }, (_, i) => `SYM${i}USDT`);
/** Books and trades together. */
const EVENTS_PER_S = 10_000;

/** Books and trades at that rate for so long, whatever happens meanwhile. */
export async function stream(rig: SinkRig, duration_s: number): Promise<void> {
  const from_ms = systemClock.monotonic_ms();
  for (let sent = 0; sent < EVENTS_PER_S * duration_s;) {
    const due = (systemClock.monotonic_ms() - from_ms) / 1_000 * EVENTS_PER_S;
    for (; sent < due; sent += 2) {
      const symbol = SYMBOLS[(sent / 2) % SYMBOLS.length];
      rig.book(symbol);
      rig.trade(symbol);
    }
    rig.queue.flush();
    await sleep(systemClock, 5);
  }
}

/** The payloads of a whole stream, oldest first. */
async function entries(client: Cluster | Redis, key: string): Promise<Record<string, unknown>[]> {
  const rows = await client.xrange(key, "-", "+");
  return rows.map(([, fields]) => JSON.parse(fields[1]));
}

/** Fails unless every trade of the rig is stored, in order, and the last books are those of the rig. */
export async function checkStored(
  client: Cluster | Redis,
  rig: SinkRig,
): Promise<{ stored: number; repeated: number }> {
  const found = { stored: 0, repeated: 0 };
  for (const symbol of SYMBOLS) {
    const ids = (await entries(client, `trades:${symbol}`)).map((entry) => entry.trade_id as number);
    const firsts = [...new Set(ids)];
    assert.deepEqual(firsts, rig.offered.get(symbol), `trades of ${symbol}`);
    found.stored += firsts.length;
    found.repeated += ids.length - firsts.length;
    const book = (await entries(client, `orderbook:${symbol}`)).at(-1);
    assert.equal(book?.last_update_id, rig.books.get(symbol)!.sequence, `book of ${symbol}`);
  }
  return found;
}

/** A line of figures for people who read the run. */
export function tell(what: string, figures: Record<string, unknown>): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${what}: ${JSON.stringify(figures)}\n`));
}
