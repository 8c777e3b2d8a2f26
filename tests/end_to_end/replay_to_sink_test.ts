/** A replay at full speed waits for its sinks: every update is in the files, none conflated or dropped, twice the same. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { composedConfig } from "../../lib/gateway/config_schema.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import { inFolder } from "../in_folder.ts";
import { path as inRepository } from "../mdg_process.ts";

const CAPTURE = inRepository("fixtures/feeds/binance-futures/capture.ndjson");

async function written(folder: string): Promise<Record<string, string>> {
  const metrics = new Metrics();
  const config = composedConfig({
    sources: [{ kind: "replay", path: Array(3).fill(CAPTURE), speed: "max" }],
    sinks: [{ kind: "log", directory: folder, channels: ["book", "trades", "quote"], compress: "none" }],
  });
  const world = { clock: systemClock, log: silentLog, metrics, version: "test", seed: "test" };
  const gateway = await Gateway.start(config, world);
  await gateway.ended;
  await gateway[Symbol.asyncDispose]();
  assert.equal(metrics.counter("sink_conflated_total", "").with("log").value, 0);
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".ndjson")) files[name.split(".")[0]] = await Deno.readTextFile(`${folder}/${name}`);
  }
  return files;
}

Deno.test("every update of a replay at full speed reaches the sink, the same bytes twice", () =>
  inFolder(async (folder) => {
    const one = await written(`${folder}/one`);
    const other = await written(`${folder}/other`);
    assert.deepEqual(Object.keys(one).sort(), ["book-BTCUSDT", "quote-BTCUSDT", "trades-BTCUSDT"]);
    for (const [name, text] of Object.entries(one)) {
      assert.ok(text.split("\n").length > 20, name);
      assert.equal(other[name], text, name);
    }
  }));
