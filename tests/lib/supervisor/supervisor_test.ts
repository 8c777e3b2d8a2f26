/** The supervisor's rules by a manual clock on a made-up machine: no process, no waiting. */
import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Random } from "../../../lib/base/random.ts";
import { SpawnError } from "../../../lib/os/spawn_process.ts";
import { superviseSchema } from "../../../lib/supervisor/config_schema.ts";
import type { KeptState } from "../../../lib/supervisor/state_file.ts";
import { Supervisor } from "../../../lib/supervisor/supervisor.ts";
import type { ProbeTarget } from "../../../lib/supervisor/probe.ts";
import { FakeHost } from "./fake_host.ts";

const SIGTERM = 15;
const SIGKILL = 9;

class Stage {
  readonly clock = new ManualClock();
  readonly host = new FakeHost();
  readonly saved: KeptState[] = [];
  /** What probes answer; undefined is well. */
  probed: (target: ProbeTarget) => string | undefined = () => "refused";
  refuses: string | undefined;
  readonly supervisor: Supervisor;

  constructor(apps: Record<string, unknown>[], state?: KeptState) {
    this.supervisor = new Supervisor(
      this.config(apps),
      state ?? { version: 1, boot_id: "b", id: "i", apps: {}, schedule: {} },
      {
        clock: this.clock,
        log: silentLog,
        host: this.host,
        random: new Random(1),
        probe: (target) => Promise.resolve(this.probed(target)),
        lineAppears: () => new Promise(() => {}),
        arrange: () => Promise.resolve(),
        prepare: () => Promise.resolve(),
        spawn: (config) => {
          if (this.refuses) throw new SpawnError(this.refuses);
          return this.host.start(config.name);
        },
        save: (kept) => void this.saved.push(structuredClone(kept)),
      },
    );
  }
  config(apps: Record<string, unknown>[]) {
    return superviseSchema.parse({ apps: apps.map((app) => ({ script: "x", ...app })) });
  }
  async start(): Promise<this> {
    await this.supervisor.start();
    await this.turns();
    return this;
  }
  app(name: string) {
    return this.supervisor.apps.get(name)!;
  }
  async turns(): Promise<void> {
    for (let i = 0; i < 10; i++) await nextTurn();
  }
  async pass(ms: number): Promise<void> {
    // in steps, so that what a timer starts may set timers of its own
    for (let left = ms; left > 0; left -= Math.min(left, 50)) {
      this.clock.advance(Math.min(left, 50));
      await this.turns();
    }
  }
  async crash(name: string, code = 1): Promise<void> {
    this.host.last(name).end({ code });
    await this.turns();
  }
  async end(): Promise<void> {
    const ended = this.supervisor[Symbol.asyncDispose]();
    let is_over = false;
    void ended.then(() => is_over = true);
    for (let i = 0; i < 2_000 && !is_over; i++) await this.pass(50);
    await ended;
    assert.equal(this.clock.pending, 0, "no timer is left");
  }
}

Deno.test("restarts wait longer each time, with jitter, until min_uptime was reached", async () => {
  const stage = await new Stage([{
    name: "a",
    restart_delay: 100,
    max_restart_delay: 1_000,
    max_restarts: "unlimited",
  }]).start();
  const bounds = [[50, 100], [100, 200], [200, 400], [400, 800], [500, 1_000], [500, 1_000]];
  for (const [i, [least, most]] of bounds.entries()) {
    await stage.crash("a");
    assert.equal(stage.app("a").state, "backoff");
    await stage.pass(least - 50);
    assert.equal(stage.host.count("a"), i + 1, `restart ${i + 1} does not come within ${least - 50} ms`);
    await stage.pass(most - least + 100);
    assert.equal(stage.host.count("a"), i + 2, `restart ${i + 1} comes within ${most + 50} ms`);
  }
  await stage.pass(1_100);
  assert.equal(stage.app("a").state, "online");
  await stage.crash("a");
  assert.equal(stage.app("a").failures, 0);
  await stage.pass(150);
  assert.equal(stage.host.count("a"), 8, "after proven health the first wait is short again");
  await stage.end();
});

Deno.test("max_restarts failed starts in a row, then it is given up until it is asked for", async () => {
  const stage = await new Stage([{ name: "a", max_restarts: 3, restart_delay: 0 }]).start();
  for (let i = 0; i < 4; i++) {
    await stage.crash("a", 7);
    await stage.pass(50);
  }
  assert.equal(stage.host.count("a"), 4);
  assert.equal(stage.app("a").state, "failed");
  assert.equal(stage.app("a").reason, "4 failed starts, the last: exit code 7");
  await stage.pass(60_000);
  assert.equal(stage.host.count("a"), 4);
  stage.supervisor.startApps([stage.app("a")]);
  await stage.turns();
  assert.equal(stage.host.count("a"), 5);
  assert.equal(stage.app("a").failures, 0);
  await stage.end();
});

Deno.test("a program that cannot be started at all follows the same rule", async () => {
  const stage = new Stage([{ name: "a", max_restarts: 1, restart_delay: 0 }]);
  stage.refuses = "permission denied";
  await stage.start();
  await stage.pass(100);
  assert.equal(stage.app("a").state, "failed");
  assert.match(stage.app("a").reason!, /permission denied/);
  await stage.end();
});

for (
  const [autorestart, code, state] of [
    ["always", 0, "backoff"],
    ["on_failure", 0, "exited"],
    ["on_failure", 1, "backoff"],
    ["never", 0, "exited"],
    ["never", 1, "failed"],
    [true, 1, "backoff"],
    [false, 1, "failed"],
  ] as const
) {
  Deno.test(`autorestart ${autorestart}, exit code ${code}: ${state}`, async () => {
    const stage = await new Stage([{ name: "a", autorestart }]).start();
    await stage.crash("a", code);
    assert.equal(stage.app("a").state, state);
    await stage.end();
  });
}

Deno.test("kill_timeout: asked once, then killed", async () => {
  const stage = new Stage([{ name: "a", kill_timeout: 2_000 }]);
  stage.host.ignores_sigterm = true;
  await stage.start();
  const process = stage.host.last("a");
  const stopped = stage.app("a").stop();
  await stage.pass(1_950);
  assert.deepEqual(process.signals, [SIGTERM]);
  assert.equal(stage.app("a").state, "stopping");
  await stage.pass(200);
  await stopped;
  assert.equal(process.signals.at(-1), SIGKILL);
  assert.equal(stage.app("a").state, "stopped");
  await stage.end();
});

Deno.test("what a crashed program left behind is ended before the next start", async () => {
  const stage = await new Stage([{ name: "a", kill_timeout: 1_000, restart_delay: 0 }]).start();
  const process = stage.host.last("a");
  process.leftovers = 2;
  await stage.crash("a");
  assert.deepEqual(process.signals, [SIGTERM]);
  await stage.pass(900);
  assert.equal(stage.host.count("a"), 1);
  await stage.pass(300);
  assert.equal(process.signals.at(-1), SIGKILL);
  assert.equal(stage.host.count("a"), 2);
  await stage.end();
});

Deno.test("dependencies: start after they are online, stop before them", async () => {
  const stage = new Stage([
    { name: "top", depends_on: ["middle"] },
    { name: "middle", depends_on: ["base"], ready: { port: 1_234 } },
    { name: "base" },
    { name: "job", autorestart: "on_failure" },
    { name: "after", depends_on: ["job"] },
  ]);
  await stage.start();
  assert.deepEqual(stage.host.processes.map(({ name }) => name).sort(), ["base", "job"]);
  assert.equal(stage.app("top").reason, "waits for middle, which is waiting");
  await stage.crash("job", 0);
  assert.equal(stage.host.count("after"), 1, "a job that is done is enough");
  await stage.pass(1_100);
  assert.equal(stage.host.count("middle"), 1);
  assert.equal(stage.host.count("top"), 0);
  stage.probed = () => undefined;
  await stage.pass(1_200);
  assert.equal(stage.app("middle").state, "online");
  await stage.pass(1_100);
  assert.equal(stage.app("top").state, "online");
  stage.host.last("top").leftovers = 1;
  const stopped = stage.supervisor.stopApps([...stage.supervisor.apps.values()]);
  await stage.pass(200);
  assert.deepEqual(stage.host.last("middle").signals, [], "top is not gone yet");
  stage.host.last("top").leftovers = 0;
  await stage.pass(500);
  await stopped;
  assert.ok([...stage.supervisor.apps.values()].every(({ state }) => state === "stopped"));
  await stage.end();
});

Deno.test("not ready in time is a failed start", async () => {
  const stage = await new Stage([{
    name: "a",
    ready: { port: 1_234, timeout: 2_000 },
    max_restarts: 0,
  }]).start();
  await stage.pass(1_900);
  assert.equal(stage.app("a").state, "starting");
  await stage.pass(500);
  assert.equal(stage.app("a").state, "failed");
  assert.match(stage.app("a").reason!, /not ready within 2.0s, want port 127.0.0.1:1234/);
  await stage.end();
});

Deno.test("a port that answers before the start is somebody else's", async () => {
  const stage = new Stage([{ name: "a", ready: { http: "http://127.0.0.1:9/ready" }, max_restarts: 0 }]);
  stage.probed = () => undefined;
  await stage.start();
  assert.equal(stage.host.count("a"), 0);
  assert.match(stage.app("a").reason!, /port 127.0.0.1:9 is taken/);
  await stage.end();
});

Deno.test("unhealthy for `retries` checks in a row: restarted, and counted as it lived long enough", async () => {
  const stage = new Stage([{
    name: "a",
    health_check: { port: 1, interval: 1_000, retries: 3 },
    min_uptime: 500,
  }]);
  stage.probed = () => undefined;
  await stage.start();
  await stage.pass(3_600);
  stage.probed = () => "refused";
  await stage.pass(2_000);
  assert.equal(stage.host.count("a"), 1);
  await stage.pass(1_300);
  assert.equal(stage.host.count("a"), 2);
  assert.equal(stage.app("a").last_end!.why, "unhealthy 3 times: refused");
  assert.equal(stage.app("a").failures, 0);
  await stage.end();
});

Deno.test("above max_memory_restart: restarted at once", async () => {
  const stage = await new Stage([{ name: "a", max_memory_restart: "100M" }]).start();
  stage.host.last("a").rss_bytes = 100 * 1_048_576;
  await stage.pass(6_000);
  assert.equal(stage.host.count("a"), 1);
  stage.host.last("a").rss_bytes++;
  await stage.pass(5_100);
  assert.equal(stage.host.count("a"), 2);
  assert.equal(stage.app("a").restarts, 1);
  await stage.end();
});

Deno.test("a restart by the schedule: no failure, no wait; what was stopped by hand stays so", async () => {
  const schedule = [{ at: "17:05", zone: "UTC" }];
  const stage = await new Stage([{ name: "a", schedule }, { name: "b", schedule }]).start();
  await stage.app("b").stop();
  // the manual clock begins at 2023-11-14T22:13:20Z
  await stage.supervisor.act("a", "restart", "schedule 17:05 UTC");
  await stage.supervisor.act("b", "restart", "schedule 17:05 UTC");
  await stage.turns();
  assert.equal(stage.host.count("a"), 2);
  assert.equal(stage.app("a").last_end!.why, "schedule 17:05 UTC");
  assert.equal(stage.app("a").failures, 0);
  assert.equal(stage.host.count("b"), 1);
  assert.equal(stage.supervisor.nextScheduled("a")?.at_ms, Date.parse("2023-11-15T17:05:00Z"));
  await stage.end();
});

Deno.test("stopped while it waits for its restart: it stays stopped", async () => {
  const stage = await new Stage([{ name: "a", restart_delay: 5_000 }]).start();
  await stage.crash("a");
  await stage.app("a").stop();
  await stage.pass(20_000);
  assert.equal(stage.host.count("a"), 1);
  assert.equal(stage.app("a").state, "stopped");
  await stage.end();
});

Deno.test("a stop while a stop goes on, then a start: one process in the end", async () => {
  const stage = await new Stage([{ name: "a" }]).start();
  const both = Promise.all([stage.app("a").stop(), stage.app("a").stop()]);
  stage.app("a").start();
  await stage.turns();
  await both;
  await stage.turns();
  assert.equal(stage.host.processes.filter(({ is_running }) => is_running).length, 1);
  await stage.end();
});

Deno.test("what a new supervisor must know is saved at every change", async () => {
  const stage = await new Stage([{ name: "a" }]).start();
  const kept = () => stage.saved.at(-1)!.apps.a;
  assert.deepEqual(kept().process, stage.host.last("a").id);
  assert.equal(kept().was_online, false);
  await stage.pass(1_100);
  assert.equal(kept().was_online, true);
  await stage.app("a").stop();
  await stage.turns();
  assert.equal(kept().process, undefined);
  assert.equal(kept().is_wanted, false);
  await stage.end();
});
