/**
 * The fixture of the sink `log`: a directory of its own, its files read in the order of their names.
 */
import { parseLogFileName } from "../../../lib/sinks/log/file_name.ts";
import { readLogFiles } from "../../lib/sinks/log/read_log_files.ts";
import type { SinkFixture } from "../sink_fixture.ts";

const directory = "logs";

export const fixture: SinkFixture = {
  refused: [
    {},
    { directory: "" },
    { directory, files: "{symbol}" },
    { directory, files: "../{channel}-{symbol}" },
    { directory, channels: [] },
    { directory, channels: ["trade"] },
    { directory, max_file_bytes: 10 },
    { directory, keep_files: 0 },
    { directory, compress: "lz4" },
    { directory, mode: 640 },
    { directory, mode: "0440" },
  ],
  // A write whose answer was lost is made again.
  deduplicates: false,
  keeps_acknowledged: true,
  async open() {
    const directory = await Deno.makeTempDir({ prefix: "mdg-log-" });
    return {
      config: { directory },
      async arrived() {
        const books = new Map<string, number>();
        const trades = [];
        for (const [name, lines] of await readLogFiles(directory)) {
          const { set } = parseLogFileName(name)!;
          for (const line of lines) {
            const { symbol, trade_id, price, quantity, last_update_id } = JSON.parse(line);
            if (set === `trades-${symbol}`) trades.push({ symbol, trade_id, price, quantity });
            else if (set === `book-${symbol}`) books.set(symbol, last_update_id);
          }
        }
        return { trades, books };
      },
      [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
    };
  },
};
