/** `mdg zip` as a process: memory on large files, a full disk, Ctrl-C; and nothing left behind. */
import assert from "node:assert/strict";
import { inFolder } from "../lib/bundle/bundle_folder.ts";
import { binary, mdgCommand, runMdg, spawnMdg } from "../mdg_process.ts";
import { is_long, serviceTest, testUnless } from "../services.ts";
import { until } from "./until.ts";

const MAX_RSS_BYTES = 200_000_000;

/** Runs argv and prints its exit code and the largest resident set of any child, in bytes. */
const MEASURE = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
`;

async function measured(
  python: string,
  cwd: string,
  args: string[],
): Promise<{ code: number; rss_bytes: number }> {
  const { program, args: leading } = mdgCommand();
  const { stdout, stderr } = await new Deno.Command(python, {
    args: ["-c", MEASURE, program, ...leading, ...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const [code, rss_bytes] = new TextDecoder().decode(stdout).trim().split(" ").map(Number);
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return { code, rss_bytes };
}

const gigabytes = is_long ? 10 : 0.2;
serviceTest(
  "python",
  `${gigabytes} GB in less than 200 MB of memory, packed and verified`,
  (python) =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/in`);
      await Deno.writeFile(`${folder}/in/noise`, noise(20_000_000));
      const file = await Deno.create(`${folder}/in/zeros`);
      await file.truncate(gigabytes * 1e9);
      file.close();
      const packed = await measured(python, `${folder}/in`, ["zip", "-o", "../b.zip", "--level", "1"]);
      const read = await measured(python, folder, ["zip", "--verify", "b.zip"]);
      const megabytes = (bytes: number) => Math.round(bytes / 1e6);
      const figures = {
        gigabytes,
        packing_mb: megabytes(packed.rss_bytes),
        verifying_mb: megabytes(read.rss_bytes),
      };
      await Deno.stdout.write(new TextEncoder().encode(`    resident ${JSON.stringify(figures)}
`));
      assert.ok(packed.rss_bytes < MAX_RSS_BYTES, `packing: ${packed.rss_bytes}`);
      assert.ok(read.rss_bytes < MAX_RSS_BYTES, `verifying: ${read.rss_bytes}`);
    }),
);

testUnless(
  Deno.build.os === "linux" ? undefined : "not Linux",
  "a full disk: an error, the old bundle kept, no debris",
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/in`);
      await Deno.writeFile(`${folder}/in/noise`, noise(3_000_000));
      await Deno.writeTextFile(`${folder}/b.zip`, "old");
      const { program, args } = mdgCommand();
      // the limit is in blocks of 512 bytes; ignored, its signal becomes an error of the write
      const limited = ["-c", `trap "" XFSZ; ulimit -f 200; exec "$@"`, "sh", program, ...args];
      const run = await new Deno.Command("sh", {
        args: [...limited, "zip", "-o", "../b.zip"],
        cwd: `${folder}/in`,
        env: { NO_COLOR: "1" },
      }).output();
      assert.equal(run.code, 1);
      assert.match(new TextDecoder().decode(run.stderr), /^error: write ".*b\.zip": .*too large/i);
      assert.equal(await Deno.readTextFile(`${folder}/b.zip`), "old");
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["b.zip", "in"]);
      const full = await new Deno.Command("sh", {
        args: ["-c", `exec "$@" > /dev/full`, "sh", program, ...args, "zip"],
        cwd: `${folder}/in`,
        env: { NO_COLOR: "1" },
      }).output();
      assert.equal(full.code, 1);
      assert.match(new TextDecoder().decode(full.stderr), /no space left/i);
    }),
);

testUnless(
  Deno.build.os === "windows" ? "no signals" : undefined,
  "Ctrl-C: exit 130, no bundle, no debris",
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/in`);
      const file = await Deno.create(`${folder}/in/zeros`);
      await file.truncate(100e9);
      file.close();
      const child = spawnMdg({ args: ["zip", "-o", "../b.zip"], cwd: `${folder}/in` });
      await child.stdin.close();
      const output = child.output();
      await until("the bundle is begun", () => [...Deno.readDirSync(folder)].length > 1);
      child.kill("SIGINT");
      assert.equal((await output).code, 130);
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["in"]);
    }),
);

Deno.test("stdout gets the same bytes as a file, and none at all when there is a secret", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/in`);
    await Deno.writeTextFile(`${folder}/in/a.txt`, "text");
    const said = await runMdg({ args: ["zip"], cwd: `${folder}/in`, env: { TZ: "Asia/Kolkata" } });
    await runMdg({ args: ["zip", "-o", "../b.zip"], cwd: `${folder}/in`, env: { TZ: "America/St_Johns" } });
    assert.equal(said.stdout, new TextDecoder().decode(await Deno.readFile(`${folder}/b.zip`)));
    await Deno.writeTextFile(`${folder}/in/.env`, "TOKEN=plain-canary\n");
    const refused = await runMdg({ args: ["zip"], cwd: `${folder}/in` });
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /\.env:1: config-secret/);
    assert.doesNotMatch(refused.stderr, /canary/);
  }));

testUnless(
  binary ? undefined : "needs the compiled program (--binary)",
  "the program bundles itself",
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/in`);
      await Deno.writeTextFile(`${folder}/in/a.txt`, "text");
      const packed = await runMdg({
        args: ["zip", "-o", "../b.zip", "--include-binary"],
        cwd: `${folder}/in`,
      });
      assert.equal(packed.code, 0, packed.stderr);
      const verdict = await runMdg({ args: ["zip", "--verify", "b.zip"], cwd: folder });
      assert.match(verdict.stdout, /^b\.zip: whole, 2 files, \d+ MB\n$/);
    }),
);

function noise(bytes: number): Uint8Array {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  return content;
}
