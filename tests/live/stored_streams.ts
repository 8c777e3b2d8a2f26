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

/** Books and trades at that rate for so long, whatever happens meanwhile. Returns how far our memory grew at most. */
export async function stream(rig: SinkRig, duration_s: number): Promise<{ rss_grown_mb: number }> {
  const from_ms = systemClock.monotonic_ms();
  const rss_before = Deno.memoryUsage().rss;
  let rss_peak = rss_before;
  for (let sent = 0; sent < EVENTS_PER_S * duration_s;) {
    const due = (systemClock.monotonic_ms() - from_ms) / 1_000 * EVENTS_PER_S;
    for (; sent < due; sent += 2) {
      const symbol = SYMBOLS[(sent / 2) % SYMBOLS.length];
      rig.book(symbol);
      rig.trade(symbol);
    }
    rig.queue.flush();
    rss_peak = Math.max(rss_peak, Deno.memoryUsage().rss);
    await sleep(systemClock, 5);
  }
  return { rss_grown_mb: Math.round((rss_peak - rss_before) / 1e6) };
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
    const kept = new Set(ids);
    const lost = rig.offered.get(symbol)!.filter((id) => !kept.has(id));
    assert.equal(lost.length, 0, `trades of ${symbol} lost: ${lost.slice(0, 5)} … ${lost.at(-1)}`);
    const late = firsts.filter((id, i) => i > 0 && id < firsts[i - 1]);
    assert.equal(late.length, 0, `trades of ${symbol} out of order: ${late.slice(0, 5)}`);
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
