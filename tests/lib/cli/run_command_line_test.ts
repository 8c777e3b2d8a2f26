import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { defineCommand, type ExitCode, type World } from "../../../lib/cli/command.ts";
import { DRAIN_LIMIT_MS, runCommandLine } from "../../../lib/cli/run_command_line.ts";
import { testHost } from "./test_host.ts";

function registry(run: (world: World) => Promise<ExitCode>) {
  const go = defineCommand({
    summary: "Go",
    flags: {},
    examples: [],
    permissions: ["ffi"],
    run,
  });
  return { go };
}

/** Resolves with the signal's reason once it aborts. */
function stopped(world: World): Promise<unknown> {
  return new Promise((resolve) =>
    world.signal.addEventListener("abort", () => resolve(world.signal.reason), { once: true })
  );
}

Deno.test("a command's code is the exit code, its data is on stdout", async () => {
  const host = testHost(["go"]);
  const code = await runCommandLine(
    registry(async (world) => {
      await world.stdout("data\n");
      return 3;
    }),
    host,
  );
  assert.deepEqual([code, host.stdout(), host.stderr()], [3, "data\n", ""]);
});

Deno.test("only declared permissions are kept", async () => {
  const host = testHost(["go"]);
  await runCommandLine(registry(() => Promise.resolve(0)), host);
  assert.deepEqual(host.kept, ["ffi"]);
});

Deno.test("a UserError is told with its hint and ends with its code", async () => {
  const host = testHost(["go"]);
  const code = await runCommandLine(
    registry(() =>
      Promise.reject(new UserError('open "x": taken\nopen "y": taken', { code: 2, hint: "free it" }))
    ),
    host,
  );
  assert.equal(code, 2);
  assert.equal(host.stderr(), 'error: open "x": taken\nerror: open "y": taken\nhint: free it\n');
});

Deno.test("an unexpected error is 1; its stack only at debug", async () => {
  const broken = registry(() => Promise.reject(new TypeError("x is not a function")));
  const quiet = testHost(["go"]);
  assert.equal(await runCommandLine(broken, quiet), 1);
  assert.equal(
    quiet.stderr(),
    "error: finish the command: unexpected error: x is not a function\n" +
      "hint: --log-level debug shows where it happened\n",
  );
  const loud = testHost(["go", "--log-level", "debug"]);
  assert.equal(await runCommandLine(broken, loud), 1);
  assert.match(loud.stderr(), /TypeError: x is not a function\n {4}at /);
});

Deno.test("Ctrl-C drains and ends with 130; a second one asks to end at once", async () => {
  const host = testHost(["go"]);
  let has_drained = false;
  const code = await runCommandLine(
    registry(async (world) => {
      const stop = stopped(world);
      assert.equal(host.lifecycle.interrupt(), false);
      await stop;
      assert.equal(host.lifecycle.interrupt(), true);
      has_drained = true;
      return 0;
    }),
    host,
  );
  assert.deepEqual([code, has_drained], [130, true]);
});

Deno.test("SIGTERM drains and ends with 0 when clean, with 1 when not", async () => {
  for (const [returned, wanted] of [[0, 0], [130, 0], [1, 1]] as const) {
    const host = testHost(["go"]);
    const code = await runCommandLine(
      registry(async (world) => {
        const stop = stopped(world);
        host.lifecycle.stop("terminate");
        await stop;
        return returned;
      }),
      host,
    );
    assert.equal(code, wanted);
  }
});

Deno.test("the abort itself, thrown by a command that was stopped, is no error", async () => {
  const host = testHost(["go"]);
  const code = await runCommandLine(
    registry((world) => {
      host.lifecycle.interrupt();
      return Promise.reject(world.signal.reason);
    }),
    host,
  );
  assert.deepEqual([code, host.stderr()], [130, ""]);
});

Deno.test("a command may have a drain limit of its own", async () => {
  const host = testHost(["go"]);
  const done = Promise.withResolvers<ExitCode>();
  const started = Promise.withResolvers<void>();
  const go = defineCommand({
    summary: "Go",
    flags: {},
    examples: [],
    drain_limit_ms: 2 * DRAIN_LIMIT_MS,
    run: () => {
      started.resolve();
      return done.promise;
    },
  });
  const ended = runCommandLine({ go }, host);
  await started.promise;
  host.lifecycle.stop("terminate");
  host.clock.advance(2 * DRAIN_LIMIT_MS - 1);
  done.resolve(0);
  assert.equal(await ended, 0);
});

Deno.test("a command that never drains is abandoned, loudly", async () => {
  const host = testHost(["go"]);
  const never = Promise.withResolvers<ExitCode>();
  const started = Promise.withResolvers<void>();
  const ended = runCommandLine(
    registry(() => {
      started.resolve();
      return never.promise;
    }),
    host,
  );
  await started.promise;
  host.lifecycle.stop("terminate");
  host.clock.advance(DRAIN_LIMIT_MS);
  assert.equal(await ended, 1);
  assert.match(host.stderr(), /^error: stop: still draining after 25 s/);
  assert.equal(host.clock.pending, 0);
});

Deno.test("a broken pipe stops the command and ends quietly with 0", async () => {
  const host = testHost(["go"], { write_stdout: () => Promise.reject(new Deno.errors.BrokenPipe("gone")) });
  let turns = 0;
  const code = await runCommandLine(
    registry(async (world) => {
      while (!world.signal.aborted && turns < 10) {
        turns++;
        await world.stdout("tick\n");
      }
      return 1;
    }),
    host,
  );
  assert.deepEqual([code, turns, host.stderr()], [0, 1, ""]);
});

Deno.test("SIGHUP reaches who registered, until it stops listening", async () => {
  const host = testHost(["go"]);
  let reloads = 0;
  await runCommandLine(
    registry((world) => {
      const stop = world.onReload(() => reloads++);
      host.lifecycle.reload();
      stop();
      assert.equal(host.lifecycle.reload(), 0);
      return Promise.resolve(0);
    }),
    host,
  );
  assert.equal(reloads, 1);
});

Deno.test("the log is JSON lines off a terminal, text on one, at the level asked for", async () => {
  const talk = registry((world) => {
    world.log.debug("hidden");
    world.log.with({ symbol: "BTCUSDT" }).warn("gap", { redis_url: "redis://u:p@h", password: "p" });
    return Promise.resolve(0);
  });
  const machine = testHost(["go"]);
  await runCommandLine(talk, machine);
  assert.deepEqual(JSON.parse(machine.stderr()), {
    level: "warn",
    time: "2023-11-14T22:13:20.000Z",
    symbol: "BTCUSDT",
    redis_url: "redis://***@h",
    password: "***",
    message: "gap",
  });
  const person = testHost(["go", "--log-level", "debug"], { stderr_is_terminal: true });
  await runCommandLine(talk, person);
  assert.equal(
    person.stderr(),
    "22:13:20.000Z DEBUG hidden\n" +
      "22:13:20.000Z WARN  gap symbol=BTCUSDT redis_url=redis://***@h password=***\n",
  );
});
