/**
 * The fixture of the sink `shared_memory`: a segment of its own, read as another process would, kept after the end so
 * that what the last moment wrote is seen.
 */
import { decodeBook, decodeEvent } from "../../../lib/sinks/shared_memory/decode.ts";
import { SegmentReader } from "../../../lib/sinks/shared_memory/segment_reader.ts";
import { no_native } from "../../native.ts";
import type { Arrived, ArrivedTrade, SinkFixture } from "../sink_fixture.ts";

let made = 0;

export const fixture: SinkFixture = {
  missing: no_native,
  refused: [
    {},
    { name: "a/b" },
    { name: ".." },
    { name: "a", ring_events: 1_000 },
    { name: "a", order_book_depth: 5_000, max_instruments: 100_000 },
    { name: "a", mode: "0400" },
    { name: "a", mode: 600 },
  ],
  deduplicates: true,
  never_waits: true,
  keeps_acknowledged: true,
  open() {
    const name = `mdg-test-contract-${Deno.pid}-${++made}`;
    return Promise.resolve({
      config: { name, keep: true },
      arrived: () => Promise.resolve(read(name)),
      async [Symbol.asyncDispose]() {
        await new Deno.Command("rm", { args: ["-f", `/dev/shm/${name}`] }).output();
      },
    });
  },
};

function read(name: string): Arrived {
  using reader = SegmentReader.open(name);
  const instruments: string[] = [];
  const books = new Map<string, number>();
  for (let index = 0; index < reader.header().books_used; index++) {
    const { symbol, last_update_id } = decodeBook(reader.book(index)!, reader.geometry.book_depth);
    instruments[index] = symbol;
    if (last_update_id !== undefined) books.set(symbol, Number(last_update_id));
  }
  const trades: ArrivedTrade[] = [];
  reader.position = reader.oldest();
  for (let found = reader.next(); found; found = reader.next()) {
    if ("lapped" in found) throw new Error("the ring is too small for this test");
    const event = decodeEvent(found);
    if (event.kind !== "trade") continue;
    const { trade_id, price, quantity } = event as unknown as ArrivedTrade;
    trades.push({ symbol: instruments[event.instrument], trade_id, price, quantity });
  }
  return { trades, books };
}
