/** Log files on real file systems: the writer killed -9 in mid-write again and again, the disk full and free again. */
import assert from "node:assert/strict";
import { Random } from "../../lib/base/random.ts";
import { log } from "../../lib/sinks/log.ts";
import { parseLogFileName } from "../../lib/sinks/log/file_name.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { readLogFiles, readSet } from "../lib/sinks/log/read_log_files.ts";
import { path } from "../mdg_process.ts";
import { is_long, testUnless } from "../services.ts";
import { mountSmall } from "./small_disk.ts";

const KILLS = is_long ? 40 : 4;
const TRADES = "trades-BTCUSDT";
const idsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).trade_id as number);

Deno.test("kill -9 in mid-write: every line that was acknowledged is there, none is torn, none is twice", async () => {
  const directory = await Deno.makeTempDir({ prefix: "mdg-log-kill-" });
  const random = new Random("kill");
  let first = 1;
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", "--quiet", "--config", path("deno.json"), path("tests/live/log_writer.ts")],
        ...[directory, `${first}`],
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const enough = first + random.integer(1_000, 20_000);
    for await (const text of writer.stdout.pipeThrough(new TextDecoderStream() as TransformStream)) {
      // the last piece may be cut in the middle of a number
      const numbers = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter(Boolean).map(Number);
      acknowledged = Math.max(acknowledged, ...numbers);
      if (acknowledged > enough) writer.kill("SIGKILL");
    }
    await writer.status;
    // opening it recovers it
    const rig = await SinkRig.open(log, { directory, compress: "none", max_file_bytes: 2 ** 30 });
    await rig.close();
    const ids = idsOf(await readSet(directory, TRADES));
    assert.ok(ids.at(-1)! >= acknowledged, `acknowledged up to ${acknowledged}, there up to ${ids.at(-1)}`);
    assert.deepEqual(ids, ids.map((_, i) => i + 1), "in order, whole, once");
    first = ids.at(-1)! + 1;
  }
  await Deno.remove(directory, { recursive: true });
});

const small = await mountSmall();
if ("unmount" in small) await small.unmount();

testUnless(
  "missing" in small ? small.missing : undefined,
  "a full disk: bounded, counted, told, and writing resumes with nothing torn, doubled or out of order",
  async () => {
    const disk = await mountSmall() as { directory: string; unmount(): Promise<void> };
    try {
      const filler = `${disk.directory}/filler`;
      await Deno.writeFile(filler, new Uint8Array(600_000));
      const limits = { max_trades: 3_000 };
      const rig = await SinkRig.open(log, { directory: disk.directory, compress: "none" }, { limits });
      await rig.traffic(["BTCUSDT"], 8_000);
      await eventually("the disk is full", () => rig.sink.notReady() !== undefined);
      assert.match(rig.sink.notReady()!, /^cannot write log files: No space left on device/);
      assert.ok(rig.queue.queued <= limits.max_trades + 10, `queued ${rig.queue.queued}`);
      assert.ok(rig.lines.some((line) => line.startsWith("log files cannot be written")));
      await readLogFiles(disk.directory); // throws at a torn line
      await rig.traffic(["BTCUSDT"], 500);
      await Deno.remove(filler);
      await eventually("written again", () => rig.sink.notReady() === undefined && rig.queue.queued === 0);
      assert.ok(rig.lines.some((line) => line.startsWith("log files can be written again")));
      await rig.traffic(["BTCUSDT"], 20);
      assert.equal(await rig.close(), 0);
      const ids = idsOf(await readSet(disk.directory, TRADES));
      assert.deepEqual(ids, [...new Set(ids)].toSorted((one, other) => one - other), "in order and once");
      assert.equal(
        ids.length + rig.count("sink_dropped_total", "log", "trade"),
        rig.trade_id,
        "the rest is counted",
      );
      assert.equal(ids.at(-1), rig.trade_id);
      const names = [...Deno.readDirSync(disk.directory)].map(({ name }) => name);
      assert.ok(
        names.every((name) => name.startsWith(".mdg-log.lock") || parseLogFileName(name)),
        names.join(),
      );
    } finally {
      await disk.unmount();
    }
  },
);
