/** The language of the CLI scripts itself: a wrong expectation must be seen. */
import assert from "node:assert/strict";
import { difference, parseScript, splitWords } from "./cli_script.ts";

Deno.test("patterns take what they say and nothing else", () => {
  const table: [patterns: string[], actual: string, is_same: boolean][] = [
    [[], "", true],
    [[], "x\n", false],
    [["x"], "", false],
    [["x"], "x\n", true],
    [["x"], "x\ny\n", false],
    [["x", "..."], "x\ny\nz\n", true],
    [["...", "z"], "x\ny\nz\n", true],
    [["...", "y"], "x\ny\nz\n", false],
    [["..."], "", true],
    [["a*c"], "abbc\n", true],
    [["a*c"], "abbcd\n", false],
    [["a\\*c"], "a*c\n", true],
    [["a\\*c"], "abc\n", false],
    [["(a.b)?"], "(a.b)?\n", true],
    [["(a.b)?"], "axb\n", false],
    [["a*"], "a\nb\n", false],
  ];
  for (const [patterns, actual, is_same] of table) {
    assert.equal(difference(patterns, actual) === undefined, is_same, JSON.stringify([patterns, actual]));
  }
});

Deno.test("a script is read with its files, environment and strict defaults", () => {
  const script = parseScript(
    'env A=b=c\nfile x.yaml\n| a: 1\n|\n| b: 2\n# note\n$ mdg run "two words" x\nstdin\n| in\nstatus 1\nstdout\n| out\n',
  );
  assert.deepEqual(script, {
    env: { A: "b=c" },
    files: [{ name: "x.yaml", text: "a: 1\n\nb: 2\n" }],
    steps: [{
      line: 7,
      words: ["run", "two words", "x"],
      stdin: "in\n",
      code: 1,
      stdout: ["out"],
      stderr: [],
    }],
  });
  assert.deepEqual(splitWords(`a 'b "c' "d e"`), ["a", 'b "c', "d e"]);
});

Deno.test("what is not the language is refused with its line", () => {
  for (const text of ["| lost", "$ rm -rf x", "status 0", "$ mdg\nstdut\n| x", "$ mdg\nstatus one"]) {
    assert.throws(() => parseScript(text), /^Error: line \d+: /, text);
  }
});
