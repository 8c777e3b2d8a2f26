/** Folders that no two machines read alike, or that would never end: each refused in one sentence that names the path. */
import assert from "node:assert/strict";
import { inFolder } from "../../../in_folder.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { MAX_TREE_DEPTH, readTree } from "../../../../lib/cli/text_files/read_tree.ts";
import { mdgCommand } from "../../../mdg_process.ts";
import { testUnless } from "../../../services.ts";

async function refusal(folder: string, path = "."): Promise<string> {
  try {
    await readTree(folder, path);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  assert.fail("read, but must be refused");
}
const no_links = Deno.build.os === "windows"
  ? "Windows has no links without rights, and other names"
  : undefined;

Deno.test("files and folders with their paths; dot-files and, when asked, texts left out", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/d/.git`, { recursive: true });
    for (const name of ["a.yaml", ".b.yaml", "d/c.txt", "d/.git/e.yaml"]) {
      await Deno.writeTextFile(`${folder}/${name}`, name);
    }
    const tree = await readTree(folder, ".");
    assert.deepEqual(tree.entries.map(({ name }) => name), ["a.yaml", "d"]);
    const [a, d] = tree.entries;
    assert.equal(a.kind === "file" && a.source.text, "a.yaml");
    assert.deepEqual(d.kind === "folder" && d.entries.map((one) => one.kind === "file" && one.source.name), [
      "d/c.txt",
    ]);
    const data = await readTree("/", folder, { data_only: true });
    assert.equal(data.entries[1].kind === "folder" && data.entries[1].entries.length, 0);
  }));

testUnless(
  no_links,
  "links: followed to files and folders beside, refused in a loop and to nothing",
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/t/a/b`, { recursive: true });
      await Deno.writeTextFile(`${folder}/real.yaml`, "x: 1");
      await Deno.symlink("../real.yaml", `${folder}/t/link.yaml`);
      await Deno.symlink("a", `${folder}/t/same`);
      const tree = await readTree(folder, "t");
      assert.deepEqual(tree.entries.map(({ name, kind }) => `${kind} ${name}`), [
        "folder a",
        "file link.yaml",
        "folder same",
      ]);
      await Deno.symlink("../..", `${folder}/t/a/b/up`);
      const loop = 'read "t/a/b/up": a link back to a folder that it lies in, want a tree';
      assert.equal(await refusal(folder, "t"), loop);
      await Deno.remove(`${folder}/t/a/b/up`);
      await Deno.symlink("nowhere", `${folder}/t/broken.yaml`);
      assert.equal(
        await refusal(folder, "t"),
        'read "t/broken.yaml": a link to nothing, want a file or folder',
      );
      await Deno.remove(`${folder}/t/broken.yaml`);
      await Deno.symlink("self", `${folder}/t/self`);
      assert.match(await refusal(folder, "t"), /^read "t\/self": a link to itself, want a tree$/);
    }),
);

testUnless(
  no_links,
  "names by case, accents' spelling and bytes; pipes; texts that are no UTF-8",
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/Redis.yaml`, "");
      await Deno.writeTextFile(`${folder}/redis.yaml`, "");
      assert.equal(
        await refusal(folder),
        `read "redis.yaml": differs from "Redis.yaml" only by case or accents' spelling, want one of them`,
      );
      await Deno.remove(`${folder}/Redis.yaml`);
      await Deno.mkdir(`${folder}/n`);
      await Deno.writeTextFile(`${folder}/n/\u00e9.yaml`, "");
      await Deno.writeTextFile(`${folder}/n/e\u0301.yaml`, "");
      assert.match(await refusal(folder, "n"), /only by case or accents' spelling/);
      await Deno.mkdir(`${folder}/b`);
      // The shell passes the byte on as it is; Deno's own calls cannot.
      await new Deno.Command("sh", { args: ["-c", `touch "$(printf 'b/\\377.yaml')"`], cwd: folder })
        .output();
      assert.match(await refusal(folder, "b"), /a name that is not UTF-8, want UTF-8$/);
      await Deno.mkdir(`${folder}/p`);
      await new Deno.Command("mkfifo", { args: [`${folder}/p/f.yaml`] }).output();
      assert.equal(await refusal(folder, "p"), 'read "p/f.yaml": a pipe or device, want regular files');
      await Deno.mkdir(`${folder}/u`);
      await Deno.writeFile(`${folder}/u/x.txt`, new Uint8Array([97, 10, 0xFF]));
      assert.equal(await refusal(folder, "u"), 'read "u/x.txt": not UTF-8 text at 2:1, want UTF-8');
      const bytes = await readTree(folder, "u", { binary: true });
      assert.deepEqual(
        bytes.entries[0].kind === "file" && bytes.entries[0].bytes,
        new Uint8Array([97, 10, 0xFF]),
      );
    }),
);

Deno.test("too deep, too many, no folder at all", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/t/${"d/".repeat(MAX_TREE_DEPTH)}`, { recursive: true });
    assert.match(await refusal(folder, "t"), /: more than 100 folders deep, want less$/);
    assert.equal(await refusal(folder, "nowhere"), 'read "nowhere": there is no such folder');
    await Deno.writeTextFile(`${folder}/file`, "");
    assert.equal(await refusal(folder, "file"), 'read "file": a file, want a folder');
    await Deno.mkdir(`${folder}/many`);
    for (let i = 0; i < 4; i++) Deno.writeTextFileSync(`${folder}/many/${i}.yaml`, "");
    await assert.rejects(
      readTree(folder, "many", { max_files: 3 }),
      /: more than 3 files, want a smaller folder$/,
    );
  }));

Deno.test("what may not be read is told by its path", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/t`);
    await Deno.writeTextFile(`${folder}/t/a.yaml`, "x: 1");
    // Root reads everything, so the runtime's own permission stands for the file's.
    const { program, args } = mdgCommand();
    if (!args.includes("run")) return;
    const denied = args.map((arg) => arg === "--quiet" ? `--deny-read=${folder}/t/a.yaml` : arg);
    const result = await new Deno.Command(program, {
      args: [...denied, "dir-to-yaml", "t"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(result.code, 1);
    const text = new TextDecoder().decode(result.stderr);
    assert.match(text, /^error: read "t\/a\.yaml": permission denied, want it readable\n$/);
  }));
