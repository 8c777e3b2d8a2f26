/** The same bytes every time, readable by others, and nothing at all when a file does not hold still. */
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { MANIFEST_NAME } from "../../../lib/formats/zip/manifest.ts";
import { serviceTest } from "../../services.ts";
import { bundleBytes, inFolder, listAll } from "./bundle_folder.ts";

async function sampleFolder(root: string): Promise<void> {
  await Deno.mkdir(`${root}/é/empty`, { recursive: true });
  await Deno.writeTextFile(`${root}/é/😀.txt`, "unicode");
  await Deno.writeTextFile(`${root}/run.sh`, "#!/bin/sh\n", { mode: 0o700 });
  await Deno.writeFile(`${root}/zeros`, new Uint8Array(300_000));
  await Deno.writeFile(`${root}/none`, new Uint8Array(0));
}

Deno.test("same files, other times, other place: same bytes; another byte: others", () =>
  inFolder((one) =>
    inFolder(async (two) => {
      await sampleFolder(one);
      await sampleFolder(two);
      await Deno.utime(`${two}/run.sh`, 1_000_000_000, 1_000_000_000);
      const [first, again, elsewhere] = [
        await bundleBytes(await listAll(one)),
        await bundleBytes(await listAll(one)),
        await bundleBytes(await listAll(two)),
      ];
      assert.deepEqual(again, first);
      assert.deepEqual(elsewhere, first);
      await Deno.writeTextFile(`${two}/none`, "x");
      assert.notDeepEqual(await bundleBytes(await listAll(two)), first);
    })
  ));

serviceTest(
  "unzip",
  "unzip reads it and gives every byte and mode back",
  (program) =>
    inFolder((source) =>
      inFolder(async (target) => {
        await sampleFolder(source);
        for (const level of [0, 6]) {
          await Deno.writeFile(`${target}/b.zip`, await bundleBytes(await listAll(source), level));
          const run = async (...args: string[]) => {
            const { code, stdout, stderr } = await new Deno.Command(program, {
              args,
              cwd: target,
              env: { LC_ALL: "C.UTF-8" },
            }).output();
            assert.equal(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
            return new TextDecoder().decode(stdout);
          };
          assert.match(await run("-t", "b.zip"), /No errors detected/);
          await run("-qo", "b.zip", "-d", `out${level}`);
          const out = `${target}/out${level}`;
          for (const name of ["é/😀.txt", "run.sh", "zeros", "none"]) {
            assert.deepEqual(
              await Deno.readFile(`${out}/${name}`),
              await Deno.readFile(`${source}/${name}`),
              name,
            );
          }
          assert.ok((await Deno.stat(`${out}/é/empty`)).isDirectory);
          assert.equal((await Deno.stat(`${out}/run.sh`)).mode! & 0o777, 0o755);
          const manifest = JSON.parse(await Deno.readTextFile(`${out}/${MANIFEST_NAME}`));
          assert.equal(manifest.files.length, 4);
        }
      })
    ),
);

const ZIPFILE = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    names = archive.namelist()
    assert names[-1] == "mdg-manifest.json" and names[:-1] == sorted(names[:-1], key=lambda n: n.encode())
    for info in archive.infolist():
        assert info.date_time == (1980, 1, 1, 0, 0, 0) and info.extra == b"", info
        assert info.external_attr >> 16 in (0o100644, 0o100755, 0o40755), info
    for record in json.loads(archive.read("mdg-manifest.json"))["files"]:
        assert hashlib.sha256(archive.read(record["path"])).hexdigest() == record["sha256"]
print("read", len(names))
`;

serviceTest(
  "python",
  "Python's zipfile reads it, and its hashes are those of the manifest",
  (program) =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/source`);
      await sampleFolder(`${folder}/source`);
      await Deno.writeFile(`${folder}/b.zip`, await bundleBytes(await listAll(`${folder}/source`)));
      const { stdout, stderr } = await new Deno.Command(program, { args: ["-c", ZIPFILE, `${folder}/b.zip`] })
        .output();
      assert.equal(new TextDecoder().decode(stdout), "read 6\n", new TextDecoder().decode(stderr));
    }),
);

Deno.test("a file that changes, grows, shrinks or goes away after it was listed refuses the bundle", () =>
  inFolder(async (root) => {
    const cases: [string, () => Promise<void>, RegExp][] = [
      [
        "grows",
        () => Deno.writeTextFile(`${root}/f`, "longer than before"),
        /"f": changed while it was read/,
      ],
      ["shrinks", () => Deno.writeTextFile(`${root}/f`, "s"), /"f": changed while it was read/],
      ["goes", () => Deno.remove(`${root}/f`), /"f": it went away/],
    ];
    for (const [name, act, pattern] of cases) {
      await Deno.writeTextFile(`${root}/f`, "12345");
      const list = await listAll(root);
      await act();
      await assert.rejects(
        bundleBytes(list),
        (error) => error instanceof UserError && pattern.test(error.message),
        name,
      );
    }
  }));

Deno.test("a file that is touched between two reads refuses the bundle", () =>
  inFolder(async (root) => {
    const { readAtRest } = await import("../../../lib/bundle/read_at_rest.ts");
    await Deno.writeFile(`${root}/f`, new Uint8Array(600_000));
    const [file] = (await listAll(root)).files;
    const pieces = readAtRest(file);
    assert.ok(!(await pieces.next()).done);
    using other = await Deno.open(`${root}/f`, { write: true });
    await other.seek(599_999, Deno.SeekMode.Start);
    await other.write(new Uint8Array([1]));
    await other.utime(1, 1);
    await assert.rejects(Array.fromAsync(pieces), /changed while it was read/);
  }));
