/** One pipe into rotating files, in this process: where files end, what a full disk does, what a replaced writer finds. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { type Log, RateLimitedLog, silentLog } from "../../../lib/base/log.ts";
import { Random } from "../../../lib/base/random.ts";
import { PipePeek } from "../../../lib/os/pipe_to_file.ts";
import { processCalls } from "../../../lib/os/process_calls.ts";
import { LogDrain } from "../../../lib/supervisor/log_keeper/log_drain.ts";
import { rotatedFiles, rotatedPath } from "../../../lib/supervisor/log_keeper/log_names.ts";
import { lastLines, LogFollower } from "../../../lib/supervisor/follow_log.ts";
import { inFolder } from "../../in_folder.ts";
import { nativeTest } from "../../native.ts";

// stays open for good, so it is opened before any test looks for leaks
if (Deno.build.os === "linux") processCalls();

interface Stage extends Disposable {
  drain: LogDrain;
  clock: ManualClock;
  warnings: string[];
  write(text: string): void;
  /** All that was written, in order of the files. */
  files(): string[];
}

function stage(folder: string, max_bytes: number, keep_files = 1_000, file = `${folder}/app.log`): Stage {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message, fields) => void warnings.push(`${message} ${fields?.lost_bytes}`),
  };
  const peek = new PipePeek();
  const drain = new LogDrain(
    { pipe: `${folder}/pipe`, file, max_bytes, keep_files },
    { clock, log, complaints: new RateLimitedLog(silentLog, clock), peek },
  );
  return {
    drain,
    clock,
    warnings,
    write: (text) => drain.pipe.write(new TextEncoder().encode(text)),
    files: () => [...rotatedFiles(file), file].map((path) => Deno.readTextFileSync(path)),
    [Symbol.dispose]() {
      drain[Symbol.dispose]();
      peek[Symbol.dispose]();
    },
  };
}

nativeTest("each file ends with a whole line, and no byte is lost or told twice", () =>
  inFolder((folder) => {
    using all = stage(folder, 4_096);
    const random = new Random("lines");
    let wanted = "";
    for (let i = 0; i < 3_000; i++) {
      // often exactly at the border, and pieces of lines too
      const piece = "x".repeat(random.integer(0, 300)) + (random.chance(0.8) ? "\n" : "");
      wanted += piece;
      all.write(piece);
      if (random.chance(0.3)) { while (all.drain.turn()); }
    }
    all.write("end\n");
    while (all.drain.turn());
    const files = all.files();
    assert.equal(files.join(""), wanted + "end\n");
    assert.ok(files.length > 50, `${files.length} files`);
    for (const file of files) assert.ok(file.endsWith("\n"));
    return Promise.resolve();
  }));

nativeTest("a line that ends exactly at the border begins no file", () =>
  inFolder((folder) => {
    using all = stage(folder, 4_096);
    all.write("a".repeat(4_095) + "\n" + "b\n");
    while (all.drain.turn());
    assert.deepEqual(all.files().map(({ length }) => length), [4_096, 2]);
    return Promise.resolve();
  }));

nativeTest("only keep_files rotated files are kept, the newest", () =>
  inFolder((folder) => {
    using all = stage(folder, 4_096, 3);
    for (let i = 0; i < 10; i++) {
      all.write(`${i}`.repeat(4_095) + "\n");
      while (all.drain.turn());
    }
    assert.deepEqual(all.files().map((text) => text[0]), ["6", "7", "8", "9"]);
    return Promise.resolve();
  }));

nativeTest(
  "a disk that takes nothing: kept in the pipe, then counted, and told when it takes again",
  () =>
    inFolder(async (folder) => {
      const file = `${folder}/app.log`;
      // /dev/full says ENOSPC to every write
      await Deno.symlink("/dev/full", file);
      using all = stage(folder, 1_048_576, 3);
      all.write("small\n");
      all.drain.turn();
      assert.equal(all.drain.is_held, true);
      assert.equal(all.drain.lost_bytes, 0, "what has room in the pipe waits");
      const line = "x".repeat(999) + "\n";
      for (let i = 0; i < 600; i++) all.write(line);
      all.clock.advance(300);
      all.drain.turn();
      const lost = all.drain.lost_bytes;
      assert.ok(lost > 262_144, `${lost} bytes were thrown away`);
      await Deno.remove(file);
      all.write("later\n");
      all.clock.advance(2_000);
      while (all.drain.turn());
      const [text] = all.files();
      assert.ok(text.startsWith(`mdg: ${lost} bytes of this log were lost`), text.slice(0, 100));
      assert.ok(text.endsWith("later\n"));
      assert.deepEqual(all.warnings, [`log bytes lost ${lost}`]);
    }),
);

nativeTest("a file that was moved away is begun again", () =>
  inFolder(async (folder) => {
    using all = stage(folder, 1_048_576);
    all.write("one\n");
    while (all.drain.turn());
    await Deno.rename(`${folder}/app.log`, `${folder}/elsewhere`);
    all.clock.advance(1_500);
    all.write("two\n");
    while (all.drain.turn());
    assert.equal(await Deno.readTextFile(`${folder}/app.log`), "two\n");
  }));

nativeTest("a log folder that was removed is made again", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/logs`);
    using all = stage(folder, 1_048_576, 3, `${folder}/logs/app.log`);
    all.write("one\n");
    while (all.drain.turn());
    await Deno.remove(`${folder}/logs`, { recursive: true });
    all.clock.advance(1_500);
    all.write("two\n");
    while (all.drain.turn());
    assert.equal(await Deno.readTextFile(`${folder}/logs/app.log`), "two\n");
  }));

nativeTest(
  "a follower sees every line once over rotations; the last lines reach into rotated files",
  () =>
    inFolder((folder) => {
      using all = stage(folder, 4_096);
      all.write("before\n");
      while (all.drain.turn());
      using follower = new LogFollower(`${folder}/app.log`);
      const seen: string[] = [];
      for (let i = 0; i < 2_000; i++) {
        all.write(`line ${i}\n`);
        if (i % 7 === 0) { while (all.drain.turn()); }
        // at most one rotation between two looks: a reader that sleeps longer reads the files themselves
        if (i % 100 === 0) seen.push(...follower.lines());
      }
      while (all.drain.turn());
      seen.push(...follower.lines());
      assert.deepEqual(seen, Array.from({ length: 2_000 }, (_, i) => `line ${i}`));
      assert.deepEqual(
        lastLines(`${folder}/app.log`, 900),
        Array.from({ length: 900 }, (_, i) => `line ${i + 1_100}`),
      );
      assert.equal(lastLines(`${folder}/app.log`, 100_000).length, 2_001);
      return Promise.resolve();
    }),
);

Deno.test("rotated names rise, also when the clock is set back", () => {
  const first = rotatedPath("/x/a.log", 1_796_000_000_123_456, undefined);
  assert.equal(first, "/x/a.20261130T005320.123456Z.log");
  assert.equal(rotatedPath("/x/a.log", 1_796_000_000_123_456, first), "/x/a.20261130T005320.123457Z.log");
  assert.equal(rotatedPath("/x/a.log", 5, first), "/x/a.20261130T005320.123457Z.log");
});
