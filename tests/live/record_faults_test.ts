/**
 * A recorder on a real disk: killed -9 while it records, again and again; the disk full and free again. What was there a
 * second before a kill is in the recording, and certificates say what may be missing.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { FEEDS, MOCKS } from "../../lib/gateway/catalog.ts";
import { verifyRecording } from "../../lib/sources/capture/verify_recording.ts";
import { DaemonProcess } from "../end_to_end/daemon_process.ts";
import { until } from "../end_to_end/until.ts";
import { inFolder } from "../in_folder.ts";
import { is_long, testUnless } from "../services.ts";
import { mountSmall } from "./small_disk.ts";

const KILLS = is_long ? 10 : 2;
const LOST_AT_MOST_S = 1;
const never = new AbortController().signal;

function verify(path: string) {
  const context = {
    name: "verify",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "verify",
    feeds: FEEDS,
  };
  return verifyRecording(path, context, never);
}
function openMock(signal: AbortSignal) {
  return MOCKS["binance-futures"].open(
    { listen: "127.0.0.1:0", symbols: [], speed: 1, seed: "7", faults: [], interval_ms: 5, rate_per_s: 400 },
    { clock: systemClock, log: silentLog, signal },
  );
}
async function configFor(folder: string, ws_url: string, rest_url: string): Promise<string> {
  const path = `${folder}/gateway.json`;
  const sources = [{
    kind: "live",
    venue: "binance-futures",
    symbols: ["BTCUSDT", "ETHUSDT"],
    ws_url,
    rest_url,
  }];
  await Deno.writeTextFile(path, JSON.stringify({ sources }));
  return path;
}
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".mdgr")) bytes += (await Deno.stat(`${folder}/${name}`)).size;
  }
  return bytes;
}

Deno.test("kill -9 while recording: at most the last second is missing, and the certificate says so", () =>
  inFolder(async (folder) => {
    const stop = new AbortController();
    await using mock = await openMock(stop.signal);
    const config = await configFor(folder, mock.ws_url, mock.rest_url);
    const out = `${folder}/out`;
    const killed_ns: bigint[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await using recorder = new DaemonProcess([
        "record",
        "--config",
        config,
        "--out",
        out,
        "--segment-size",
        "40K",
      ]);
      await recorder.says("recording");
      const before = await bytesIn(out);
      await until("something to be written", async () => await bytesIn(out) > before + 60_000, 20_000);
      killed_ns.push(BigInt(Math.floor(systemClock.now_us())) * 1_000n);
      recorder.signal("SIGKILL");
      await recorder.ended;
    }
    await using last = new DaemonProcess(["record", "--config", config, "--out", out, "--duration", "500ms"]);
    await last.ended;
    const report = await verify(out);
    assert.equal(report.intact, true, JSON.stringify(report.segments.flatMap((one) => one.problems)));
    assert.equal(report.complete, false);
    const dead = report.segments.filter((one) => one.ended === "killed");
    assert.equal(dead.length, KILLS);
    for (const [i, { last_ns }] of dead.entries()) {
      const missing_s = Number(killed_ns[i] - BigInt(last_ns!)) / 1e9;
      assert.ok(missing_s < LOST_AT_MOST_S, `${missing_s} s before kill ${i + 1} are missing`);
    }
    // Books after each restart are proved again from a snapshot of their own.
    assert.ok(report.sources[0].compared > 100 && report.sources[0].differed === 0);
    stop.abort();
  }));

const small = await mountSmall();
if ("unmount" in small) await small.unmount();

testUnless(
  "missing" in small ? small.missing : undefined,
  "a full disk: the recorder waits, drops and names what has no room, and goes on; or deletes the oldest",
  async () => {
    const disk = await mountSmall() as { directory: string; unmount(): Promise<void> };
    const stop = new AbortController();
    await using mock = await openMock(stop.signal);
    try {
      const config = await configFor(disk.directory, mock.ws_url, mock.rest_url);
      const filler = `${disk.directory}/filler`;
      await Deno.writeFile(filler, new Uint8Array(960_000));
      const out = `${disk.directory}/out`;
      const flags = ["--segment-size", "60K", "--max-queue", "4M"];
      {
        await using recorder = new DaemonProcess(["record", "--config", config, "--out", out, ...flags]);
        await recorder.says("the recording cannot be written; blocks wait in memory");
        await sleep(systemClock, 500);
        await Deno.remove(filler);
        await recorder.says("the recording is written again");
        await sleep(systemClock, 500);
        recorder.signal("SIGTERM");
        await recorder.ended;
      }
      const waited = await verify(out);
      const why = JSON.stringify([waited.losses, waited.segments.map((one) => one.problems)]);
      assert.deepEqual([waited.intact, waited.complete], [true, true], why);
      await Deno.writeFile(filler, new Uint8Array(750_000));
      {
        const args = ["record", "--config", config, "--out", out, ...flags, "--on-full", "delete-oldest"];
        await using recorder = new DaemonProcess(args);
        await recorder.says("segment deleted", { why: "disk full" });
        recorder.signal("SIGTERM");
        await recorder.ended;
      }
      assert.deepEqual((await verify(out)).segments.flatMap((one) => one.problems), []);
      await Deno.writeFile(filler, new Uint8Array(2_000_000)).catch(() => {});
      await using stopped = new DaemonProcess([
        "record",
        "--config",
        config,
        "--out",
        out,
        "--on-full",
        "stop",
      ]);
      assert.equal(await stopped.ended, 1);
    } finally {
      stop.abort();
      await disk.unmount();
    }
  },
);
