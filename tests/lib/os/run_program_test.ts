import assert from "node:assert/strict";
import { ManualClock, nextTurn, systemClock } from "../../../lib/base/clock.ts";
import { ProgramMissing, runProgram } from "../../../lib/os/run_program.ts";
import { testUnless } from "../../services.ts";

const unix = Deno.build.os === "windows" ? "no sh" : undefined;
const sh = (script: string, ...args: string[]) => ({ program: "sh", args: ["-c", script, "sh", ...args] });
const base = { clock: systemClock, deadline_ms: 30_000 };

testUnless(unix, "stdin goes in, stdout, stderr and the code come out", async () => {
  const result = await runProgram({ ...base, ...sh("cat; echo talk >&2; exit 3"), stdin: "data" });
  assert.deepEqual(result, { code: 3, stdout: "data", stderr: "talk\n" });
});

Deno.test("a program that is not there is an error of its own", async () => {
  await assert.rejects(runProgram({ ...base, program: "mdg-no-such-program", args: [] }), ProgramMissing);
});

testUnless(unix, "output is bounded, and read to its end all the same", async () => {
  const result = await runProgram({ ...base, ...sh("head -c 1000000 /dev/zero"), max_output_bytes: 10 });
  assert.deepEqual([result.code, result.stdout.length], [0, 10]);
});

testUnless(unix, "one that does not read its stdin is no failure", async () => {
  const result = await runProgram({ ...base, ...sh("exit 0"), stdin: new Uint8Array(1_000_000) });
  assert.equal(result.code, 0);
});

testUnless(unix, "a child of its own that keeps its output open holds nobody up", async () => {
  const { code, stdout } = await runProgram({ ...base, ...sh("echo said; sleep 1000 & echo $!") });
  const [said, pid] = stdout.trim().split("\n");
  assert.deepEqual([code, said], [0, "said"]);
  Deno.kill(Number(pid));
  // Its end closes the pipes; this runtime hears of that some turns later.
  while (isThere(Number(pid))) await nextTurn();
  for (let turn = 0; turn < 1_000; turn++) await nextTurn();
});

testUnless(unix, "past its deadline it is killed, though it ignores the first signal", async () => {
  const clock = new ManualClock();
  const running = runProgram({
    ...base,
    clock,
    deadline_ms: 500,
    ...sh("trap '' TERM; exec sleep 1000"),
  });
  const outcome = running.catch((error) => error);
  let settled: unknown;
  outcome.then((value) => settled = value);
  while (settled === undefined) {
    clock.advance(100);
    await nextTurn();
  }
  assert.match(String(settled), /not done within 500 ms/);
  assert.equal(clock.pending, 0);
});

testUnless(unix, "an abort ends it with the reason", async () => {
  const abort = new AbortController();
  const running = runProgram({ ...base, ...sh("exec sleep 1000"), signal: abort.signal });
  abort.abort(new Error("no longer wanted"));
  await assert.rejects(running, /no longer wanted/);
  await assert.rejects(runProgram({ ...base, ...sh("true"), signal: abort.signal }), /no longer wanted/);
});

function isThere(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}
