/** All or nothing: old content, mode and links survive; a failure leaves no debris. */
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { writeWholeFile, writeWholeFiles } from "../../../lib/os/write_whole_file.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-write-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("writes text, bytes and pieces, and leaves nothing else behind", () =>
  inFolder(async (folder) => {
    await writeWholeFile(`${folder}/a`, "é");
    await writeWholeFile(`${folder}/b`, new Uint8Array([1, 2]));
    await writeWholeFile(`${folder}/c`, ["x", new Uint8Array([121])]);
    assert.equal(await Deno.readTextFile(`${folder}/a`), "é");
    assert.deepEqual(await Deno.readFile(`${folder}/b`), new Uint8Array([1, 2]));
    assert.equal(await Deno.readTextFile(`${folder}/c`), "xy");
    assert.deepEqual(names(folder), ["a", "b", "c"]);
  }));

Deno.test("an existing file keeps its mode, a link stays a link", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/real`, "old", { mode: 0o600 });
    await Deno.symlink("real", `${folder}/link`);
    await writeWholeFile(`${folder}/link`, "new");
    assert.equal(await Deno.readTextFile(`${folder}/real`), "new");
    assert.equal((await Deno.stat(`${folder}/real`)).mode! & 0o777, 0o600);
    assert.ok((await Deno.lstat(`${folder}/link`)).isSymlink);
    await writeWholeFile(`${folder}/fresh`, "", { mode: 0o640 });
    assert.equal((await Deno.stat(`${folder}/fresh`)).mode! & 0o777, 0o640);
    await writeWholeFile(`${folder}/real`, "", { mode: 0o640, force_mode: true });
    assert.equal((await Deno.stat(`${folder}/real`)).mode! & 0o777, 0o640);
  }));

Deno.test("a failure in the middle changes no file and leaves no temporary one", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "old a");
    await Deno.writeTextFile(`${folder}/b`, "old b");
    function* broken() {
      yield "new";
      throw new Error("in the middle");
    }
    const files = [{ path: `${folder}/a`, content: "new a" }, { path: `${folder}/b`, content: broken() }];
    await assert.rejects(writeWholeFiles(files), /in the middle/);
    const refuse = () => Promise.reject(new UserError("verify: not what it should be"));
    await assert.rejects(writeWholeFile(`${folder}/a`, "new", { verify: refuse }), /not what it should be/);
    assert.equal(await Deno.readTextFile(`${folder}/a`), "old a");
    assert.equal(await Deno.readTextFile(`${folder}/b`), "old b");
    assert.deepEqual(names(folder), ["a", "b"]);
  }));

Deno.test("what cannot be written is one clear sentence", () =>
  inFolder(async (folder) => {
    await assert.rejects(writeWholeFile(`${folder}/none/a`, ""), {
      name: "UserError",
      message: /folder does not exist/,
    });
    await assert.rejects(writeWholeFile(folder, ""), {
      name: "UserError",
      message: /a directory, want a file/,
    });
    await Deno.writeTextFile(`${folder}/f`, "");
    await assert.rejects(writeWholeFile(`${folder}/f/a`, ""), {
      name: "UserError",
      message: /a part of the path/,
    });
  }));
