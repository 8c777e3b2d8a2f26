/** Diffs of edited texts: the `patch` program makes the new text of the old one, and nothing more is shown than needed. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { matchLines } from "../../../lib/formats/line_diff.ts";
import { unifiedDiff } from "../../../lib/formats/unified_diff.ts";
import { is_long, serviceTest } from "../../services.ts";

/** A text of few different lines and its edited sister; either may lack its last line end, or be empty. */
function pairOf(random: Random): [string, string] {
  const line = () => (random.chance(0.5) ? `${random.integer(0, 9)}` : `line ${random.integer(0, 999)}`);
  const old_lines = Array.from({ length: random.integer(0, 60) }, line);
  const new_lines = [...old_lines];
  for (let left = random.integer(0, 6); left > 0; left--) {
    const added = Array.from({ length: random.integer(0, 3) }, line);
    new_lines.splice(random.integer(0, new_lines.length), random.integer(0, 4), ...added);
  }
  const text = (lines: string[]) => lines.join("\n") + (lines.length > 0 && random.chance(0.8) ? "\n" : "");
  return [text(old_lines), text(new_lines)];
}

Deno.test("hunks with three lines of context, neighbours joined", () => {
  const old_lines = Array.from({ length: 30 }, (_, i) => `${i + 1}\n`);
  const new_lines = old_lines.map((line) => (line === "5\n" ? "five\n" : line === "20\n" ? "" : line));
  assert.equal(
    unifiedDiff("f", old_lines.join(""), new_lines.join("")),
    "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -17,7 +17,6 @@\n 17\n 18\n 19\n-20\n 21\n 22\n 23\n",
  );
  assert.equal(
    unifiedDiff("f", "", "a"),
    "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n",
  );
  assert.equal(unifiedDiff("f", "a\n", "a\n"), "");
  const near = unifiedDiff("f", "1\n2\n3\n4\n5\n6\n7\n8\n", "one\n2\n3\n4\n5\n6\n7\neight\n");
  assert.equal(near.match(/^@@/gm)?.length, 1);
});

Deno.test("matched lines are equal and rise; between repeated lines as many as an exact search finds", () => {
  const random = new Random("line diff");
  for (let i = 0; i < (is_long ? 20_000 : 500); i++) {
    const letters = (length: number) => Array.from({ length }, () => random.pick(["a", "b", "c"]));
    const [a, b] = [letters(random.integer(0, 12)), letters(random.integer(0, 12))];
    const pairs = matchLines(a, b);
    pairs.forEach(([i, j], at) => {
      assert.equal(a[i], b[j]);
      assert.ok(at === 0 || (pairs[at - 1][0] < i && pairs[at - 1][1] < j));
    });
    if (new Set(a).size * 2 <= a.length && new Set(b).size * 2 <= b.length) {
      const has_unique = a.some((x) =>
        a.filter((y) => x === y).length === 1 && b.filter((y) => x === y).length === 1
      );
      if (!has_unique) assert.ok(pairs.length >= longestCommon(a, b) - 1, JSON.stringify([a, b, pairs]));
    }
  }
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  const best = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      best[i][j] = a[i - 1] === b[j - 1] ? best[i - 1][j - 1] + 1 : Math.max(best[i - 1][j], best[i][j - 1]);
    }
  }
  return best[a.length][b.length];
}

Deno.test("texts that share nothing, and huge ones, end in bounded work", () => {
  const many = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word}${i % 3}\n`).join("");
  const diff = unifiedDiff("f", many("a"), many("b"));
  assert.equal(diff.match(/^-a/gm)?.length, 20_000);
  assert.equal(diff.match(/^\+b/gm)?.length, 20_000);
});

serviceTest("patch", "patch makes the new text of the old one", async (patch) => {
  const random = new Random("patch");
  const folder = await Deno.makeTempDir({ prefix: "mdg-patch-" });
  let several = 0;
  try {
    for (let i = 0; i < (is_long ? 2_000 : 150); i++) {
      const [old_text, new_text] = pairOf(random);
      const diff = unifiedDiff("file", old_text, new_text);
      if (diff === "") continue;
      if (diff.match(/^@@/gm)!.length > 1) several++;
      await Deno.writeTextFile(`${folder}/file`, old_text);
      await Deno.writeTextFile(`${folder}/diff`, diff);
      const args = ["--fuzz=0", "--posix", "-s", "file", "diff"];
      const { success, stdout } = await new Deno.Command(patch, { args, cwd: folder }).output();
      const context = `${JSON.stringify([old_text, new_text])}\n${diff}${new TextDecoder().decode(stdout)}`;
      assert.ok(success, context);
      // An emptied file may be taken away.
      const found = await Deno.readTextFile(`${folder}/file`).catch(() => "");
      assert.equal(found, new_text, context);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assert.ok(several > 20, `${several} had several hunks`);
});
