/** A tree of files: all or none, nothing outside its folder, nothing that exists unless told. */
import assert from "node:assert/strict";
import { inFolder } from "../../in_folder.ts";
import { writeWholeTree } from "../../../lib/os/write_whole_tree.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const FILES = [{ path: "a/b/c.yaml", text: "c" }, { path: "a/d.yaml", text: "d" }, {
  path: "e.yaml",
  text: "e",
}];

Deno.test("folders are made, files written; a second time only when told", () =>
  inFolder(async (folder) => {
    await writeWholeTree(`${folder}/t`, FILES);
    assert.equal(await Deno.readTextFile(`${folder}/t/a/b/c.yaml`), "c");
    const changed = FILES.map(({ path }) => ({ path, text: "new" }));
    await assert.rejects(
      writeWholeTree(`${folder}/t`, changed),
      /c\.yaml": it exists, want a new place or --replace/,
    );
    assert.equal(await Deno.readTextFile(`${folder}/t/e.yaml`), "e");
    await writeWholeTree(`${folder}/t`, changed, { replace: true });
    assert.equal(await Deno.readTextFile(`${folder}/t/e.yaml`), "new");
    assert.deepEqual(names(`${folder}/t`), ["a", "e.yaml"]);
  }));

Deno.test("a failure in the middle leaves neither files nor folders", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/x`, "");
    const bad = [...FILES, { path: "a/d.yaml/f.yaml", text: "" }, { path: "../x/g.yaml", text: "" }];
    await assert.rejects(writeWholeTree(`${folder}/t`, bad), { name: "UserError" });
    assert.deepEqual(names(folder), ["x"]);
    await assert.rejects(writeWholeTree(`${folder}/none/t`, FILES), /does not exist, want an existing one/);
    await assert.rejects(writeWholeTree(`${folder}/x`, FILES), /: a file, want a folder/);
  }));

Deno.test("a link below the folder is not followed out of it", () =>
  inFolder(async (folder) => {
    if (Deno.build.os === "windows") return;
    await Deno.mkdir(`${folder}/t`);
    await Deno.mkdir(`${folder}/outside`);
    await Deno.symlink("../outside", `${folder}/t/a`);
    const write = writeWholeTree(`${folder}/t`, FILES, { replace: true });
    await assert.rejects(write, /write below ".*\/t\/a": a link, which may lead elsewhere, want a folder/);
    assert.deepEqual(names(`${folder}/outside`), []);
    // The folder itself may be one.
    await Deno.symlink("outside", `${folder}/link`);
    await writeWholeTree(`${folder}/link`, FILES);
    assert.deepEqual(names(`${folder}/outside`), ["a", "e.yaml"]);
  }));
