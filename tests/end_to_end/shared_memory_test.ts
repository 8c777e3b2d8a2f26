/** Shared memory as users meet it: processes, their deaths, readers in three languages. */
import assert from "node:assert/strict";
import { path, runMdg } from "../mdg_process.ts";
import { no_native } from "../native.ts";
import { serviceTest, testUnless } from "../services.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { until } from "./until.ts";

let made = 0;

interface Rig {
  folder: string;
  name: string;
  start(extra?: string): DaemonProcess;
}

async function withRig(body: (rig: Rig) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-shm-" });
  const name = `mdg-test-run-${Deno.pid}-${++made}`;
  try {
    await body({
      folder,
      name,
      start(extra = "") {
        const config = `${folder}/${crypto.randomUUID()}.yaml`;
        Deno.writeTextFileSync(
          config,
          `${extra}
sources: [{kind: simulator, symbols: [BTCUSD, ETHUSD], interval_ms: 5, rate: 1000}]
sinks: [{kind: shared_memory, name: ${name}, ring_events: 1024}]
servers: [{kind: health, listen: "127.0.0.1:0"}]
`,
        );
        return new DaemonProcess(["run", "--config", config]);
      },
    });
  } finally {
    await new Deno.Command("rm", { args: ["-f", `/dev/shm/${name}`] }).output();
    await Deno.remove(folder, { recursive: true });
  }
}
const check = (name: string) => runMdg({ args: ["shm", "read", name, "--check", "--json"] });
const isFine = (name: string) => async () => (await check(name)).code === 0;

testUnless(
  no_native,
  "a writer killed -9 is noticed, taken over, and its follower goes on",
  () =>
    withRig(async ({ name, start }) => {
      const first = start();
      await first.says("listening");
      await until("a whole segment", isFine(name));
      await using follower = new DaemonProcess(["shm", "read", name, "--follow", "--json"]);
      await until("events", () => follower.stdout.length > 10);
      await first.kill();
      const dead = await until("a verdict on the dead writer", async () => {
        const { code, stdout } = await check(name);
        return code === 1 && JSON.parse(stdout);
      });
      assert.match(dead.reasons[0], new RegExp(`writer ${first.pid} is silent`));
      await using second = start();
      await second.says("listening");
      await until("a whole segment", isFine(name));
      await follower.says("writer restarted");
      const seen = follower.stdout.length;
      await until("events of the second writer", () => follower.stdout.length > seen + 10);
      const numbers = follower.stdout.map((line) => JSON.parse(line).sequence as number);
      const restart = numbers.findIndex((number, i) => i > 0 && number !== numbers[i - 1] + 1);
      assert.equal(numbers[restart], 1, "the second writer is read from its first event on");
    }),
);

testUnless(
  no_native,
  "a second writer is refused in one sentence; a clean stop leaves nothing",
  () =>
    withRig(async ({ name, start }) => {
      const first = start();
      await first.says("listening");
      const second = start();
      assert.equal(await second.ended, 1);
      const [said] = second.talk;
      assert.equal(
        said,
        `error: open shared memory "${name}": it is written by process ${first.pid}, want one writer`,
      );
      await until("a whole segment", isFine(name));
      first.signal("SIGTERM");
      assert.equal(await first.ended, 0);
      const { code, stderr } = await runMdg({ args: ["shm", "read", name] });
      assert.equal(code, 1);
      assert.match(stderr, /nothing there, want a running writer/);
    }),
);

testUnless(no_native, "mdg shm read shows books and events", () =>
  withRig(async ({ name, start }) => {
    await using writer = start();
    await until("a whole segment", isFine(name));
    const text = await runMdg({ args: ["shm", "read", name, "--levels", "1"] });
    assert.match(text.stdout, new RegExp(`^${name}: live, process ${writer.pid}, heartbeat \\d+ ms ago`));
    assert.match(
      text.stdout,
      /\nsimulator BTCUSD: in_sync, update \d+\n +[\d.]+ @ [\d.]+ \| [\d.]+ @ [\d.]+\n/,
    );
    const { books } = JSON.parse((await runMdg({ args: ["shm", "read", name, "--json"] })).stdout);
    assert.deepEqual(books.map((book: { symbol: string }) => book.symbol), ["BTCUSD", "ETHUSD"]);
    assert.equal(books[0].bids.length, 20);
    const args = ["shm", "read", name, "--follow", "--oldest", "--json", "--count", "50"];
    const events = (await runMdg({ args })).stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(events.length, 50);
    events.forEach((event, i) => assert.equal(event.sequence, events[0].sequence + i));
  }));

testUnless(
  no_native,
  "every thread is pinned; a CPU that is not there is refused",
  () =>
    withRig(async ({ start }) => {
      await using pinned = start("cpu: 0");
      const { threads } = await pinned.says("pinned");
      await pinned.says("listening");
      const tasks = [...Deno.readDirSync(`/proc/${pinned.pid}/task`)].map(({ name }) =>
        /Cpus_allowed_list:\s*(\S+)/.exec(Deno.readTextFileSync(`/proc/${pinned.pid}/task/${name}/status`))
          ?.[1]
      );
      assert.deepEqual(new Set(tasks), new Set(["0"]));
      assert.ok(Number(threads) > 1);
      const refused = start("cpu: [0, 1023]");
      assert.equal(await refused.ended, 2);
      assert.match(refused.talk[0], /^error: pin to CPU 1023: this process may use [\d, ]+, want of those$/);
    }),
);

serviceTest(
  "python",
  "the Python reader sees what the writer says",
  (python) =>
    withRig(async ({ name, start }) => {
      await using _writer = start();
      await until("a whole segment", isFine(name));
      const read = async (...args: string[]) => {
        const { code, stdout, stderr } = await new Deno.Command(python, {
          args: [path("scripts/shared_memory/reader.py"), `/dev/shm/${name}`, ...args],
        }).output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
        return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
      };
      const books = await read("books");
      assert.deepEqual(books.map(({ symbol }) => symbol), ["BTCUSD", "ETHUSD"]);
      for (const { bids, asks } of books) assert.ok(bids[0][0] < asks[0][0] && bids.length === 20);
      const events = await read("events", "30");
      assert.equal(events.length, 30);
      assert.ok(events.some(({ kind }) => kind === "book"));
    }),
);
