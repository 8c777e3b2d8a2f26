/** The live view on a terminal in memory, in time that the test moves. */
import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { TypedInterrupt } from "../../../../lib/cli/lifecycle.ts";
import { readThresholds } from "../../../../lib/monitors/check/thresholds.ts";
import { LiveView } from "../../../../lib/monitors/run/live_view.ts";
import { Observer } from "../../../../lib/monitors/run/observer.ts";
import { FakeTerminal } from "../../tui/fake_terminal.ts";
import { FAKE_MEASURES, type FakeSample, FakeSampler } from "./fake_sampler.ts";

function open(answer: (poll: number) => FakeSample | Promise<FakeSample>, count?: number) {
  const clock = new ManualClock();
  const terminal = new FakeTerminal();
  const stop = new AbortController();
  const sampler = new FakeSampler(answer);
  const thresholds = readThresholds(FAKE_MEASURES, { warning: [], critical: [] });
  const observer = new Observer(sampler, { clock, measures: FAKE_MEASURES, thresholds, timeout_ms: 5_000 });
  let held = 0;
  const view = new LiveView({
    word: "fake",
    sampler,
    observer,
    terminal,
    clock,
    count,
    signal: stop.signal,
    interval_ms: 2_000,
    color: false,
    unicode: true,
    takeScreen: () => {
      held++;
      return () => held--;
    },
  });
  const done = view.run();
  done.catch(() => {});
  const settle = async () => {
    for (let i = 0; i < 5; i++) await nextTurn();
  };
  return {
    clock,
    terminal,
    stop,
    sampler,
    done,
    settle,
    held: () => held,
    async pass(ms: number) {
      // In steps, as a terminal's ticks come.
      for (let left = ms; left > 0; left -= 500) {
        clock.advance(Math.min(500, left));
        await settle();
      }
      await settle();
    },
    async type(text: string) {
      terminal.type(text);
      await settle();
    },
  };
}
type Opened = ReturnType<typeof open>;

async function restored({ terminal, clock, sampler, held }: Opened): Promise<void> {
  assert.deepEqual([terminal.is_raw, terminal.is_alternate, terminal.has_cursor], [false, false, true]);
  assert.equal(terminal.listens, false);
  assert.equal(held(), 0, "talk flows again");
  const { polls } = sampler;
  clock.advance(60_000);
  await nextTurn();
  assert.equal(sampler.polls, polls, "nothing is asked any more");
}

Deno.test("state, values and trend; every two seconds; q ends it and puts the terminal back", async () => {
  const view = open((poll) => ({ value: poll }));
  await view.settle();
  assert.match(view.terminal.screen, /mdg monitor fake {2}fake:1 {2}OK .*every 2s/);
  assert.match(view.terminal.screen, /value 0/);
  await view.pass(4_000);
  assert.match(view.terminal.screen, /value 2 /);
  assert.equal(view.held(), 1);
  await view.type("q");
  await view.done;
  await restored(view);
});

Deno.test("what is wrong stands above: thresholds and findings", async () => {
  const view = open(() => ({ value: 13 }));
  await view.settle();
  assert.match(view.terminal.screen, /CRITICAL/);
  assert.match(view.terminal.screen, /CRITICAL thirteen\n WARNING value 13, want at most 10/);
  view.stop.abort();
  await view.done;
  await restored(view);
});

Deno.test("lost: shown with the reason and for how long, what was known stays, and it comes back by itself", async () => {
  const view = open((poll) => {
    if (poll === 1 || poll === 2) throw new Error("nobody listens on fake:1");
    return { value: poll };
  });
  await view.pass(2_000);
  assert.match(view.terminal.screen, /fake:1 {2}LOST/);
  await view.pass(1_000);
  assert.match(view.terminal.screen, /LOST 1\.0s ago, trying again: nobody listens on fake:1/);
  assert.match(view.terminal.screen, /what stands below is from/);
  assert.match(view.terminal.screen, /value 0/);
  await view.pass(3_000);
  assert.match(view.terminal.screen, /OK/);
  assert.match(view.terminal.screen, /value 3/);
  view.stop.abort();
  await view.done;
});

Deno.test("an answer that does not come: said after a while, lost at the deadline, never asked twice at once", async () => {
  const hang = Promise.withResolvers<FakeSample>();
  const view = open((poll) => poll === 0 ? { value: 1 } : hang.promise);
  await view.pass(4_000);
  assert.match(view.terminal.screen, /no answer for 2\.0s/);
  await view.pass(5_000);
  assert.match(view.terminal.screen, /LOST/);
  await view.pass(10_000);
  assert.equal(view.sampler.running, 1);
  hang.resolve({ value: 7 });
  await view.pass(4_000);
  assert.match(view.terminal.screen, /value 7/);
  view.stop.abort();
  await view.done;
});

Deno.test("Space holds and goes on at once; + and - change the interval", async () => {
  const view = open((poll) => ({ value: poll }));
  await view.settle();
  await view.type(" ");
  assert.match(view.terminal.screen, /PAUSED/);
  await view.pass(10_000);
  assert.equal(view.sampler.polls, 1);
  await view.type(" ");
  assert.equal(view.sampler.polls, 2, "at once");
  await view.type("++");
  assert.match(view.terminal.screen, /every 5s/);
  await view.type("-------");
  assert.match(view.terminal.screen, /every 0\.5s/);
  const { polls } = view.sampler;
  await view.pass(2_000);
  assert.ok(view.sampler.polls >= polls + 4, `${view.sampler.polls - polls} polls in 2 s`);
  view.stop.abort();
  await view.done;
});

Deno.test("views by their keys; the chosen one is marked below", async () => {
  const view = open(() => ({ value: 1 }));
  await view.settle();
  assert.match(view.terminal.screen, /view first/);
  await view.type("\u001bOQ");
  assert.match(view.terminal.screen, /view second/);
  assert.match(view.terminal.screen, /F1 first \[F2 second\] K kill/);
  view.stop.abort();
  await view.done;
});

Deno.test("an action asks first, and is done to the row that was selected then, only after y", async () => {
  let rows = ["a", "b"];
  const view = open(() => ({ value: 1, rows }));
  await view.settle();
  await view.type("\u001b[BK");
  assert.match(view.terminal.screen, /kill b\? y\/N/);
  await view.type("n");
  assert.match(view.terminal.screen, /kill: not done/);
  assert.deepEqual(view.sampler.acted, []);
  await view.type("K");
  rows = ["x", "y", "z"];
  await view.pass(2_000);
  assert.match(view.terminal.screen, /kill b\? y\/N/, "the question stays while rows change");
  await view.type("y");
  assert.deepEqual(view.sampler.acted, ["b"]);
  assert.match(view.terminal.screen, /killed b/);
  rows = ["immortal"];
  await view.pass(2_000);
  await view.type("K");
  assert.match(view.terminal.screen, /kill: no row to do it to/);
  view.stop.abort();
  await view.done;
});

Deno.test("resizes are followed, down to nothing", async () => {
  const view = open(() => ({ value: 1, rows: Array.from({ length: 100 }, (_, i) => `row ${i}`) }));
  await view.settle();
  for (const [columns, rows] of [[200, 60], [40, 10], [1, 1], [80, 24]]) {
    view.terminal.resize(columns, rows);
    await view.settle();
    assert.ok(view.terminal.screen.split("\n").length <= rows, `${columns}×${rows}`);
  }
  assert.match(view.terminal.screen, /row 17/);
  view.stop.abort();
  await view.done;
});

Deno.test("ways out: Ctrl-C, a terminal that hangs up or takes nothing, a count, a drawing that fails", async () => {
  const interrupted = open(() => ({ value: 1 }));
  await interrupted.type("\u0003");
  await assert.rejects(interrupted.done, TypedInterrupt);
  await restored(interrupted);

  const hung_up = open(() => ({ value: 1 }));
  await hung_up.settle();
  hung_up.terminal.hangUp();
  await hung_up.done;
  await restored(hung_up);

  const gone = open(() => ({ value: 1 }));
  await gone.settle();
  gone.terminal.fails = true;
  await gone.pass(3_000);
  await gone.done;

  const counted = open(() => ({ value: 1 }), 2);
  await counted.pass(2_000);
  await counted.done;
  assert.equal(counted.sampler.polls, 2);

  const broken = open(() => ({ value: 1 }));
  broken.sampler.draw = () => {
    throw new Error("drawing failed");
  };
  await broken.settle();
  await assert.rejects(broken.done, /drawing failed/);
  await restored(broken);
});

Deno.test("a frame in which nothing changed costs no byte but the clock's", async () => {
  const view = open(() => ({ value: 1 }));
  await view.pass(4_000);
  const { written } = view.terminal;
  await view.pass(2_000);
  const bytes = view.terminal.written - written;
  assert.ok(bytes < 600, `${bytes} bytes for two seconds: the bar above and the trend`);
  view.stop.abort();
  await view.done;
});
