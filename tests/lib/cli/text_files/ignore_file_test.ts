import assert from "node:assert/strict";
import { UserError } from "../../../../lib/base/errors.ts";
import { readIgnoreFile } from "../../../../lib/cli/text_files/ignore_file.ts";
import { inFolder } from "../../bundle/bundle_folder.ts";

Deno.test("patterns, comments and a missing file; negation is refused", () =>
  inFolder(async (folder) => {
    assert.deepEqual(await readIgnoreFile(folder, ".ignore"), []);
    await Deno.writeTextFile(`${folder}/.ignore`, "# note\r\n\n*.log\n/build/\ndocs/**/*.md\n");
    const patterns = await readIgnoreFile(folder, ".ignore");
    const taken = (path: string) => patterns.some((pattern) => pattern.test(path));
    for (const path of ["a.log", "x/y.log", "build", "docs/a.md", "docs/x/y/a.md"]) {
      assert.ok(taken(path), path);
    }
    for (const path of ["a.logs", "x/build", "docs.md", "# note"]) {
      assert.ok(!taken(path), path);
    }
    await Deno.writeTextFile(`${folder}/.ignore`, "*.log\n!keep.log\n");
    await assert.rejects(readIgnoreFile(folder, ".ignore"), (error) =>
      error instanceof UserError && /line 2 negates/.test(error.message));
  }));
