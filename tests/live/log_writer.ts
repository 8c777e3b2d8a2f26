/** A process that logs numbered trades as fast as it can and says which are written: `log_writer.ts DIRECTORY FIRST`. */
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { log } from "../../lib/sinks/log.ts";

const BATCH = 100;
const [directory, first] = Deno.args;
const sink = await log.connect(
  log.schema.parse({ directory, max_file_bytes: 1_000_000, keep_files: 1_000 }),
  {
    name: "log",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "test",
    writable() {},
  },
);
for (let id = Number(first);;) {
  const messages = Array.from({ length: BATCH }, () =>
    sink.encode({
      kind: "trade",
      venue: "v",
      symbol: "BTCUSDT",
      trade_id: id++,
      price: 61_800.1,
      quantity: 0.003,
      received_us: 1e15,
    }));
  await sink.write(messages);
  Deno.stdout.writeSync(new TextEncoder().encode(`${id - 1}\n`));
}
