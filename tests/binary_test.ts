/**
 * The compiled binary alone: no Deno, no cache, no repository around it. Skipped unless MDG_BINARY names it
 * (`deno task test --binary dist/mdg`). The scripts of tests/cli and tests/main_test.ts run against it as well.
 */
import assert from "node:assert/strict";
import manifest from "../deno.json" with { type: "json" };
import { BookFollower } from "./end_to_end/book_follower.ts";
import { DaemonProcess } from "./end_to_end/daemon_process.ts";
import { MockProcess } from "./end_to_end/mock_process.ts";
import { until } from "./end_to_end/until.ts";
import { binary, path, runMdg } from "./mdg_process.ts";
import { no_native } from "./native.ts";
import { testUnless } from "./services.ts";

const missing = binary ? undefined : "MDG_BINARY is not set; deno task test --binary dist/mdg sets it";

/** In an empty folder with an empty environment. */
async function runAlone(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const cwd = await Deno.makeTempDir({ prefix: "mdg-alone-" });
  try {
    const keep: Record<string, string> = Deno.build.os === "windows"
      ? { SYSTEMROOT: Deno.env.get("SYSTEMROOT") ?? "" }
      : {};
    const { code, stdout, stderr } = await new Deno.Command(binary!, {
      args: [...args],
      cwd,
      clearEnv: true,
      env: { ...keep, HOME: cwd, DENO_DIR: `${cwd}/none` },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

testUnless(missing, "the binary carries its version and knows that it is compiled", async () => {
  const { code, stdout, stderr } = await runAlone(["version", "--json"]);
  const facts = JSON.parse(stdout);
  assert.deepEqual([code, stderr, facts.version, facts.compiled], [0, "", manifest.version, true]);
});

testUnless(missing, "every command of the binary has help, so every module is inside", async () => {
  const commands = await import("../commands/registry.ts");
  for (const [word, entry] of Object.entries(commands) as [string, { kind: string }][]) {
    const { code, stdout, stderr } = await runAlone([word, "--help"]);
    assert.deepEqual([code, stderr], [0, ""], word);
    assert.ok(stdout.includes(entry.kind === "command" ? "Options:" : "Commands:"), word);
  }
});

testUnless(missing, "lazily loaded parts are inside as well", async () => {
  const completions = await runAlone(["completions", "zsh"]);
  assert.deepEqual([completions.code, completions.stderr], [0, ""]);
  assert.ok(completions.stdout.startsWith("#compdef mdg"));
  const verify = await runAlone(["verify", "not_there.gz"]);
  assert.equal(verify.code, 1);
  assert.match(verify.stderr, /^error: read capture "not_there\.gz": no such file\n/);
});

testUnless(missing, "the binary's embedded default serves books and ends on SIGTERM", async () => {
  await using daemon = new DaemonProcess([
    "run",
    "--listen",
    "127.0.0.1:0",
    "--health-listen",
    "127.0.0.1:0",
    "--symbols",
    "BTCUSD,ETHUSD",
  ]);
  const { url: health_url } = await daemon.says("listening", { server: "health" });
  const { url: ws_url } = await daemon.says("listening", { server: "websocket" });
  {
    await using follower = new BookFollower(String(ws_url), [{ symbol: "*", channel: "book" }]);
    await follower.until(
      "deltas",
      () => ["BTCUSD", "ETHUSD"].every((symbol) => follower.of(symbol).deltas > 5),
    );
    const { bids, asks } = follower.top("BTCUSD", 20);
    assert.ok(bids.length === 20 && asks.length === 20 && bids[0][0] < asks[0][0]);
    assert.equal(follower.of("BTCUSD").snapshots, 1);
  }
  const response = await fetch(`${health_url}/health`);
  assert.deepEqual(await response.json(), {
    status: "healthy",
    service: "market-data",
    version: manifest.version,
  });
  assert.ok(daemon.talk.some((line) => line.includes("simulated market")), "it says what to try next");
  daemon.signal("SIGTERM");
  assert.equal(await daemon.ended, 0);
});

for (const venue of ["binance-futures", "binance-spot"]) {
  testUnless(missing, `the binary verifies a capture of ${venue} and plays it as the venue`, async () => {
    const capture = path(`fixtures/feeds/${venue}/capture.ndjson`);
    const { code, stdout } = await runMdg({ args: ["verify", capture] });
    const report = JSON.parse(stdout);
    assert.deepEqual([code, report.venue, report.gaps, report.differed], [0, venue, 0, 0]);
    await using mock = await MockProcess.start(venue, ["--capture", capture]);
    assert.equal((await mock.stats()).venue, venue);
    mock.process.signal("SIGTERM");
    assert.equal(await mock.process.ended, 0);
    assert.equal(JSON.parse(mock.process.talk.at(-1)!).venue, venue);
  });
}

testUnless(
  missing ?? no_native,
  "the binary writes shared memory, reads it, pins itself, and logs files",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "mdg-binary-" });
    const name = `mdg-test-binary-${Deno.pid}`;
    try {
      await Deno.writeTextFile(
        `${folder}/mdg.yaml`,
        `cpu: 0
sources: [{kind: simulator, symbols: [BTCUSD], interval_ms: 5, rate: 1000}]
sinks:
  - {kind: shared_memory, name: ${name}}
  - {kind: log, directory: ${folder}/logs, rotate_every_s: 1, compress: zstd}
servers: [{kind: health, listen: "127.0.0.1:0"}]
`,
      );
      await using daemon = new DaemonProcess(["run", "--config", `${folder}/mdg.yaml`]);
      await daemon.says("pinned");
      await until("a whole segment", async () => {
        const { code } = await runMdg({ args: ["shm", "read", name, "--check"] });
        return code === 0;
      });
      const events = await runMdg({ args: ["shm", "read", name, "--follow", "--json", "--count", "20"] });
      assert.equal(events.stdout.trim().split("\n").length, 20);
      await until(
        "a compressed log file",
        () => [...Deno.readDirSync(`${folder}/logs`)].some((entry) => entry.name.endsWith(".ndjson.zst")),
      );
      daemon.signal("SIGTERM");
      assert.equal(await daemon.ended, 0);
      assert.throws(() => Deno.statSync(`/dev/shm/${name}`), Deno.errors.NotFound);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
