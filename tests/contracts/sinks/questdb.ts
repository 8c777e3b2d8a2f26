/**
 * The fixture of the sink `questdb` over HTTP: a recording server of ours that keeps the protocol's rules and the
 * tables' keys (tests/live/questdb_recorder.ts), because QuestDB itself can't be had here.
 */
import { QuestdbRecorder } from "../../live/questdb_recorder.ts";
import type { SinkFixture } from "../sink_fixture.ts";

const url = "http://127.0.0.1:9000";

export const fixture: SinkFixture = {
  refused: [
    {},
    { url: "questdb://127.0.0.1" },
    { url: "http://user:password@127.0.0.1" },
    { url: "http://127.0.0.1/write" },
    { url, table_prefix: "no spaces" },
    { url, username: "u" },
    { url: "tcp://127.0.0.1", password: "p" },
    { url: "tcp://127.0.0.1", username: "u" },
    { url, kinds: [] },
    { url, order_book_depth: 0 },
  ],
  deduplicates: true,
  keeps_acknowledged: true,
  async open() {
    const server = await QuestdbRecorder.start("http");
    return {
      config: { url: server.url, snapshot_interval_ms: 0 },
      remote: server,
      arrived: () =>
        Promise.resolve({
          trades: server.rows("trades").map(({ symbol, columns }) => ({
            symbol,
            trade_id: Number(columns.trade_id),
            price: Number(columns.price),
            quantity: Number(columns.quantity),
          })),
          books: new Map(
            server.rows("book_tops").map((row) => [row.symbol, Number(row.columns.last_update_id)]),
          ),
        }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
