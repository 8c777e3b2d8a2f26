/** `mdg monitor WORD` in the frame: forms of output, exit codes, what is asked wrongly. */
import assert from "node:assert/strict";
import { nextTurn } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { defineGroup, type ExitCode } from "../../../../lib/cli/command.ts";
import { runCommandLine } from "../../../../lib/cli/run_command_line.ts";
import { defineMonitor } from "../../../../lib/monitors/monitor.ts";
import { monitorCommand } from "../../../../lib/monitors/run/monitor_command.ts";
import { testHost } from "../../cli/test_host.ts";
import { FAKE_MEASURES, type FakeSample, FakeSampler } from "./fake_sampler.ts";

interface Ran {
  code: ExitCode;
  stdout: string;
  stderr: string;
  sampler: FakeSampler | undefined;
}

async function run(args: string[], answer: (poll: number) => FakeSample | Promise<FakeSample>): Promise<Ran> {
  let sampler: FakeSampler | undefined;
  const kind = defineMonitor({
    summary: "Fake",
    flags: { wrong: { type: "boolean", doc: "asked wrongly" } },
    examples: [],
    measures: FAKE_MEASURES,
    open(_world, flags) {
      if (flags.wrong) throw new UserError('read "--wrong": given, want nothing', { code: 2 });
      return Promise.resolve(sampler = new FakeSampler(answer));
    },
  });
  const registry = {
    monitor: defineGroup("Monitors", { fake: monitorCommand("fake", kind) }, {
      usageCode: (argv) => argv.includes("--check") ? 3 : 2,
    }),
  };
  const host = testHost(["monitor", "fake", ...args]);
  let code: ExitCode | undefined;
  const done = runCommandLine(registry, host).then((ended) => code = ended);
  while (code === undefined) {
    await nextTurn();
    host.clock.advance(100);
  }
  await done;
  return { code, stdout: host.stdout(), stderr: host.stderr(), sampler };
}

Deno.test("--check: one line, the code of its state, over two looks; the sampler is let go", async () => {
  const table: [FakeSample["value"], ExitCode, RegExp][] = [
    [5, 0, /^FAKE OK - fake:1: value 5 \| value=5;10;20\n$/],
    [11, 1, /^FAKE WARNING - fake:1: value 11, want at most 10; value 11 \| value=11;10;20\n$/],
    [21, 2, /^FAKE CRITICAL - fake:1: value 21, want at most 20; value 21 \| value=21;10;20\n$/],
    [undefined, 0, /^FAKE OK - fake:1: value undefined \| value=U;10;20\n$/],
  ];
  for (const [value, code, line] of table) {
    const ran = await run(["--check"], () => ({ value }));
    assert.match(ran.stdout, line);
    assert.equal(ran.code, code);
    assert.equal(ran.stderr, "");
    assert.equal(ran.sampler!.polls, 2);
    assert.ok(ran.sampler!.disposed);
  }
});

Deno.test("--check: asked for a value that is not there is UNKNOWN; ranges of the command line count", async () => {
  assert.equal((await run(["--check", "-w", "value=1:"], () => ({ value: undefined }))).code, 3);
  assert.equal((await run(["--check", "-c", "value=@5:6"], () => ({ value: 5 }))).code, 2);
  assert.equal((await run(["--check", "-w", "value=~:", "-c", "value=~:"], () => ({ value: 99 }))).code, 0);
});

Deno.test("--check: a target that is away or hangs is CRITICAL, told at once or at the deadline", async () => {
  const away = await run(["--check"], () => {
    throw new Error("nobody listens | on fake:1");
  });
  assert.deepEqual([away.code, away.stdout], [2, "FAKE CRITICAL - fake:1: nobody listens / on fake:1\n"]);
  assert.equal(away.sampler!.polls, 1);
  const hung = await run(["--check", "--timeout", "1"], () => new Promise<FakeSample>(() => {}));
  assert.equal(hung.code, 2);
  assert.match(hung.stdout, /no answer within 1500 ms/);
});

Deno.test("--check: asked wrongly is UNKNOWN, code 3, wherever it is noticed; without it 2", async () => {
  for (
    const args of [["--wrong"], ["-w", "nothing=1"], ["-w", "value=20:10"], ["--json"], ["--count", "2"]]
  ) {
    const { code, stdout } = await run(["--check", ...args], () => ({ value: 1 }));
    assert.equal(code, 3, args.join(" "));
    assert.match(stdout, /^FAKE UNKNOWN - read "--/);
  }
  for (const args of [["--foo"], ["--interval", "x"]]) {
    assert.equal((await run(["--check", ...args], () => ({ value: 1 }))).code, 3, args.join(" "));
    assert.equal((await run(args, () => ({ value: 1 }))).code, 2);
  }
  const bug = await run(["--check"], () => ({
    get value(): number {
      throw new TypeError("a bug");
    },
  }));
  assert.equal(bug.code, 2, "the look failed");
});

Deno.test("--json: an object a line, each over one interval; what is lost has a reason and no readings", async () => {
  const { stdout, code, sampler } = await run(["--json", "--count", "3"], (poll) => {
    if (poll === 2) throw new Error("gone");
    return { value: poll * 11 };
  });
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(code, 0);
  assert.equal(sampler!.polls, 4, "one look before the first line");
  assert.deepEqual(lines.map(({ state }) => state), ["warning", "critical", "critical"]);
  assert.deepEqual(lines[0].readings, { value: 11 });
  assert.deepEqual(lines[0].sample, { value: 11 });
  assert.deepEqual(lines[1].problems, [{ level: "critical", text: "gone" }]);
  assert.equal("readings" in lines[1], false);
  const [first, second] = lines.map(({ time }) => Date.parse(time));
  assert.ok(second - first >= 2_000 && second - first < 2_400, "two seconds apart");
});

Deno.test("--csv: a header, a line a look, empty where there is no value", async () => {
  const { stdout } = await run(["--csv", "-n", "2"], (poll) => ({ value: poll === 1 ? undefined : 7 }));
  const [head, first, second] = stdout.split("\n");
  assert.equal(head, "time,state,value");
  assert.match(first, /^[\dT:.Z-]+,ok,$/);
  assert.match(second, /,ok,7$/);
});

Deno.test("--once: the screen as text; code 1 when there was nothing to see", async () => {
  const { stdout, code } = await run(["--once"], () => ({ value: 7, rows: ["a", "b"] }));
  assert.equal(code, 0);
  assert.match(stdout, /^fake fake:1 {2}OK {2}.*\n value 7 {3}view first\n/);
  assert.ok(!stdout.includes("\u001b"));
  const lost = await run(["--once"], () => {
    throw new Error("gone");
  });
  assert.equal(lost.code, 1);
  assert.match(lost.stdout, /LOST.*\n CRITICAL gone/);
});

Deno.test("asked wrongly: two forms at once, a count of one look", async () => {
  const both = await run(["--json", "--csv"], () => ({ value: 1 }));
  assert.deepEqual([both.code, both.stdout], [2, ""]);
  assert.match(both.stderr, /read "--json": "--csv" is set too, want one of them/);
  assert.equal((await run(["--once", "--count", "2"], () => ({ value: 1 }))).code, 2);
});
