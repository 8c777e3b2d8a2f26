/**
 * What only a real process shows: signals, a reader that goes away, exit codes. Works on source and on MDG_BINARY.
 */
import assert from "node:assert/strict";
import { systemClock } from "../lib/base/clock.ts";
import { path, runMdg, spawnMdg } from "./mdg_process.ts";
import { testUnless } from "./services.ts";

const no_signals = Deno.build.os === "windows" ? "Windows has no FIFOs and signals" : undefined;

/** An mdg that is certainly inside its command and stays there: it has opened a FIFO that never ends. */
async function withWaitingMdg(body: (child: Deno.ChildProcess) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-main-" });
  try {
    await new Deno.Command("mkfifo", { args: [`${folder}/capture`] }).output();
    const child = spawnMdg({ args: ["verify", `${folder}/capture`, "--venue", "binance-futures"] });
    await child.stdin.close();
    using _held = await Deno.open(`${folder}/capture`, { write: true });
    await body(child);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testUnless(no_signals, "a second Ctrl-C ends at once, though the command still waits", async () => {
  await withWaitingMdg(async (child) => {
    const ended = child.output();
    // signals sent before the first one is handled melt into one, so they are repeated until the process is gone
    const again = systemClock.every(20, () => child.kill("SIGINT"));
    const { code } = await ended.finally(() => again.cancel());
    assert.equal(code, 130);
  });
});

Deno.test("a reader that is gone is no error", async () => {
  const child = spawnMdg({ args: ["completions", "bash"] });
  await Promise.all([child.stdin.close(), child.stdout.cancel()]);
  const stderr = await new Response(child.stderr).text();
  assert.deepEqual([(await child.status).code, stderr], [0, ""]);
});

Deno.test("NO_COLOR and pipes leave no escape sequences", async () => {
  for (const args of [["--help"], ["nonsense"]]) {
    const { stdout, stderr } = await runMdg({ args });
    assert.equal((stdout + stderr).includes("\u001b"), false);
  }
});

Deno.test("main.ts stays a table of contents", async () => {
  const lines = (await Deno.readTextFile(path("main.ts"))).trimEnd().split("\n").length;
  assert.ok(lines <= 60, `${lines} lines, want at most 60`);
});
