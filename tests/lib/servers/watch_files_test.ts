import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { FileWatch, readFiles } from "../../../lib/servers/watch_files.ts";
import { inFolder } from "../../in_folder.ts";

const file = (path: string) => ({ path, max_bytes: 100, what: "test file" });

async function withWatch(
  body: (
    rig: {
      watch: FileWatch;
      clock: ManualClock;
      path: string;
      told: string[];
      write(text: string): Promise<void>;
    },
  ) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const path = `${folder}/a`;
    const write = (text: string) => Deno.writeTextFile(path, text);
    await write("one");
    const [clock, told] = [new ManualClock(), [] as string[]];
    await using watch = new FileWatch([file(path)], ["one"], {
      clock,
      period_ms: 1_000,
      onChange: ([text]) => void told.push(text),
      onUnreadable: (reason) => void told.push(`! ${reason}`),
    });
    await body({ watch, clock, path, told, write });
  });
}

Deno.test("watch: tells what changed, once, and nothing where only the time did", async () => {
  await withWatch(async ({ watch, path, told, write }) => {
    await watch.check();
    assert.deepEqual(told, []);
    await write("two");
    await watch.check();
    await watch.check();
    assert.deepEqual(told, ["two"]);
    await Deno.utime(path, 5, 5);
    await watch.check();
    assert.deepEqual(told, ["two"]);
  });
});

Deno.test("watch: a second write that leaves no trace in size or times is seen all the same", async () => {
  await withWatch(async ({ watch, clock, path, told, write }) => {
    await watch.check();
    const stat = Deno.stat;
    const frozen = await stat(path);
    // as on a file system whose clock ticks once in two seconds
    Deno.stat = () => Promise.resolve(frozen);
    try {
      await write("two");
      await watch.check();
      await write("six");
      await watch.check();
      assert.deepEqual(told, ["two", "six"]);
      clock.advance(2_001);
      const read = Deno.readFile;
      let reads = 0;
      Deno.readFile = (...args) => (reads++, read(...args));
      await watch.check();
      Deno.readFile = read;
      assert.equal(reads, 0, "then it rests");
    } finally {
      Deno.stat = stat;
    }
  });
});

Deno.test("watch: replaced by rename or by a link; gone, too large, no text: said once, then on", async () => {
  await withWatch(async ({ watch, path, told, write }) => {
    await Deno.writeTextFile(`${path}.new`, "two");
    await Deno.rename(`${path}.new`, path);
    await watch.check();
    await Deno.writeTextFile(`${path}.v3`, "three");
    await Deno.remove(path);
    await Deno.symlink(`${path}.v3`, path);
    await watch.check();
    assert.deepEqual(told.splice(0), ["two", "three"]);
    await Deno.remove(path);
    await watch.check();
    await watch.check();
    assert.match(told.splice(0).join("\n"), /^! read test file ".*a": there is no such file$/);
    await write("x".repeat(101));
    await watch.check();
    assert.deepEqual(told, [], "still unreadable: said already");
    await write("four");
    await watch.check();
    assert.deepEqual(told.splice(0), ["four"]);
    await Deno.writeFile(path, new Uint8Array([0xff, 0xfe]));
    await watch.check();
    assert.match(told.splice(0).join(), /not UTF-8/);
  });
});

Deno.test("watch: looks by the clock, one look at a time, and not after its end", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "one");
    const clock = new ManualClock();
    const changed = Promise.withResolvers<string>();
    const watch = new FileWatch([file(`${folder}/a`)], [""], {
      clock,
      period_ms: 1_000,
      onChange: ([text]) => changed.resolve(text),
      onUnreadable: () => {},
    });
    assert.equal(watch.check(), watch.check());
    clock.advance(5_000);
    assert.equal(await changed.promise, "one");
    await watch[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
    await watch.check();
  });
});

Deno.test("watch: a folder and a device are no files", async () => {
  await assert.rejects(readFiles([file("/dev")]), /no regular file/);
  await assert.rejects(readFiles([file("/dev/zero")]), /no regular file/);
});
