import assert from "node:assert/strict";
import { colorWanted, Output, type Streams } from "../../../lib/cli/output.ts";

function streams(parts: Partial<Streams>): Streams {
  return {
    write_stdout: (bytes) => Promise.resolve(bytes.length),
    write_stderr: (bytes) => bytes.length,
    stdout_is_terminal: false,
    stderr_is_terminal: false,
    columns: undefined,
    ...parts,
  };
}

Deno.test("data goes out whole and in order though writers take one byte at a time", async () => {
  let text = "";
  const output = new Output(
    streams({
      async write_stdout(bytes) {
        await Promise.resolve();
        text += String.fromCharCode(bytes[0]);
        return 1;
      },
    }),
    false,
  );
  output.data("first ");
  output.data(new TextEncoder().encode("second"));
  await output.flush();
  assert.equal(text, "first second");
});

Deno.test("another failure than a broken pipe is the writer's own, once", async () => {
  let fails = true;
  const output = new Output(
    streams({
      write_stdout: (bytes) => fails ? Promise.reject(new Error("disk full")) : Promise.resolve(bytes.length),
    }),
    false,
  );
  await assert.rejects(output.data("x"), /disk full/);
  fails = false;
  await output.data("y");
  await output.flush();
});

Deno.test("talk that nobody reads is dropped, counted, and told of when it can be", () => {
  let text = "";
  let is_closed = true;
  const output = new Output(
    streams({
      write_stderr(bytes) {
        if (is_closed) throw new Deno.errors.BrokenPipe("gone");
        text += new TextDecoder().decode(bytes);
        return bytes.length;
      },
    }),
    false,
  );
  output.talk("one\n");
  output.talk("two\n");
  assert.equal(output.stderr_dropped, 2);
  is_closed = false;
  output.talk("three\n");
  assert.equal(text, "three\nwarning: 2 lines for stderr were dropped: its reader was too slow\n");
  assert.equal(output.stderr_dropped, 0);
});

Deno.test("a full stderr is tried again", () => {
  let tries = 0;
  const output = new Output(
    streams({
      write_stderr(bytes) {
        if (++tries < 3) throw new Deno.errors.WouldBlock("full");
        return bytes.length;
      },
    }),
    false,
  );
  output.talk("x");
  assert.deepEqual([tries, output.stderr_dropped], [3, 0]);
});

Deno.test("labels are coloured on a terminal only, and only when wanted", () => {
  const said = (color: boolean, stderr_is_terminal: boolean) => {
    let text = "";
    const write_stderr = (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    };
    new Output(streams({ write_stderr, stderr_is_terminal }), color).failure({
      message: "m",
      hint: undefined,
    });
    return text;
  };
  assert.equal(said(true, true), "\u001b[31merror:\u001b[0m m\n");
  assert.equal(said(true, false), "error: m\n");
  assert.equal(said(false, true), "error: m\n");
  assert.equal(colorWanted({}, []), true);
  assert.equal(colorWanted({ NO_COLOR: "1" }, []), false);
  assert.equal(colorWanted({ NO_COLOR: "" }, []), true);
  assert.equal(colorWanted({ TERM: "dumb" }, []), false);
  assert.equal(colorWanted({}, ["run", "--no-color"]), false);
});

Deno.test("while a command has the screen talk waits, within a bound, in its order, and errors are said at the end", () => {
  let text = "";
  const output = new Output(
    streams({
      write_stderr(bytes) {
        text += new TextDecoder().decode(bytes);
        return bytes.length;
      },
    }),
    false,
  );
  output.talk("before\n");
  const release = output.hold();
  output.talk("meanwhile\n");
  output.failure({ message: "it failed", hint: undefined });
  assert.equal(text, "before\n");
  release();
  release();
  assert.equal(text, "before\nmeanwhile\nerror: it failed\n");
  text = "";
  const again = output.hold();
  for (let i = 0; i < 2_000; i++) output.talk(`${String(i).padStart(99, "x")}\n`);
  again();
  assert.match(text, /^warning: 13\d\d earlier lines for stderr were dropped\n/);
  assert.ok(text.length <= 65 * 1024 && text.length > 60 * 1024, `${text.length} characters were kept`);
  assert.ok(text.endsWith("1999\n"), "the newest");
});
