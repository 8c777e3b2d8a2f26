/** What is bundled, in which order, and what is refused rather than left out in silence. */
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { globToRegExp } from "../../../lib/cli/text_files/glob.ts";
import { inFolder, listAll } from "./bundle_folder.ts";

const on_linux = { ignore: Deno.build.os !== "linux" };

Deno.test("files and empty folders, sorted by bytes; version control and own files left out", () =>
  inFolder(async (root) => {
    for (const folder of [".git", "b/empty", "b/full", "b/.git"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    for (const name of ["b.txt", "b/full/z", "a", ".hidden", ".git/config", "b/.git/x", ".zipignore", "B"]) {
      await Deno.writeTextFile(`${root}/${name}`, name);
    }
    await Deno.writeTextFile(`${root}/mdg-manifest.json`, "{}");
    await Deno.chmod(`${root}/a`, 0o750);
    const list = await listAll(root);
    assert.deepEqual(list.files.map(({ name }) => name), [".hidden", "B", "a", "b.txt", "b/full/z"]);
    assert.deepEqual(list.empty_folders, ["b/empty"]);
    assert.deepEqual(list.files.filter((file) => file.is_executable).map(({ name }) => name), ["a"]);
    assert.match(list.warnings.join("\n"), /mdg-manifest.json is left out/);
    const less = await listAll(root, ["full", "*.txt"].map(globToRegExp));
    assert.deepEqual(less.files.map(({ name }) => name), [".hidden", "B", "a"]);
  }));

Deno.test(
  "links inside are followed; loops and links that lead out or nowhere are refused, all at once",
  on_linux,
  () =>
    inFolder(async (root) => {
      await Deno.mkdir(`${root}/in/sub`, { recursive: true });
      await Deno.writeTextFile(`${root}/in/file`, "text");
      await Deno.symlink("file", `${root}/in/link`);
      await Deno.symlink("sub", `${root}/in/folder_link`);
      assert.deepEqual((await listAll(root)).files.map(({ name }) => name), ["in/file", "in/link"]);
      assert.deepEqual((await listAll(root)).empty_folders, ["in/folder_link", "in/sub"]);
      await Deno.symlink("..", `${root}/in/sub/loop`);
      await Deno.symlink("/etc/hostname", `${root}/in/out`);
      await Deno.symlink("nowhere", `${root}/in/gone`);
      await assert.rejects(listAll(root), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /4 cannot be bundled/);
        assert.match(error.message, /"in\/sub\/loop": a link to a folder above it/);
        assert.match(error.message, /"in\/folder_link\/loop": a link to a folder above it/);
        assert.match(error.message, /"in\/out": a link that leads out/);
        assert.match(error.message, /"in\/gone": a link to "nowhere", which is not there/);
        return true;
      });
    }),
);

Deno.test(
  "names that are not UTF-8, pipes and paths outside are refused by name",
  on_linux,
  () =>
    inFolder(async (root) => {
      const shell = await new Deno.Command("sh", {
        args: [
          "-c",
          `printf x > "$(printf 'bad\\377name')"; printf y > "$(printf 'good\\357\\277\\275')"; mkfifo pipe`,
        ],
        cwd: root,
      }).output();
      assert.ok(shell.success);
      await assert.rejects(listAll(root, [], [".", "../elsewhere", "/etc", "none"]), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /5 cannot be bundled/);
        assert.match(error.message, /"bad\uFFFDname": its name is not UTF-8/);
        assert.match(error.message, /"pipe": a pipe or device/);
        assert.match(error.message, /"\.\.\/elsewhere": outside the folder/);
        assert.match(error.message, /"none": there is no such file/);
        return true;
      });
      await Deno.remove(`${root}/pipe`);
      const { files } = await listAll(root, [/^bad/]);
      assert.deepEqual(files.map(({ name }) => name), ["good\uFFFD"]);
    }),
);

Deno.test("names that are one file on other systems are told", on_linux, () =>
  inFolder(async (root) => {
    for (const name of ["Read", "read"]) await Deno.writeTextFile(`${root}/${name}`, name);
    assert.match((await listAll(root)).warnings.join("\n"), /"Read" and "read" are one file/);
  }));

Deno.test("names that other systems cannot unpack are refused", on_linux, () =>
  inFolder(async (root) => {
    for (const name of ["a\\b", "con", "new\nline"]) await Deno.writeTextFile(`${root}/${name}`, "");
    await assert.rejects(listAll(root), /3 cannot be bundled/);
  }));
