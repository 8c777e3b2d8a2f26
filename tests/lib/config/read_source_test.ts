/** Files that are no config say so in one sentence; a good one is found by its extension. */
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import { decode, formatOf, MAX_BYTES, readSource } from "../../../lib/config/read_source.ts";
import { schema } from "./invented_kinds.ts";

async function inFolder(work: (cwd: string) => Promise<void>): Promise<void> {
  const cwd = await Deno.makeTempDir();
  try {
    await work(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}
async function refusal(work: () => unknown): Promise<UserError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, 2);
    return error;
  }
  assert.fail("read, but must be refused");
}

Deno.test("the extension tells the format", async () => {
  const paths = ["a.yaml", "a.YML", "a.json5", "a.j5", "a.jsonc", "x.y/a.json"];
  assert.deepEqual(paths.map(formatOf), ["yaml", "yaml", "json5", "json5", "jsonc", "json"]);
  assert.match(
    (await refusal(() => formatOf("a.toml"))).message,
    /^read config "a\.toml": extension "\.toml", want/,
  );
  assert.match((await refusal(() => formatOf("dir.d/config"))).message, /: no extension, want/);
});

Deno.test("missing file, directory, file as directory, too large", () =>
  inFolder(async (cwd) => {
    const missing = await refusal(() => readSource("no.yaml", cwd));
    assert.equal(missing.message, 'read config "no.yaml": there is no such file');
    assert.ok(missing.hint?.includes(cwd));
    await Deno.mkdir(`${cwd}/d.yaml`);
    assert.match((await refusal(() => readSource("d.yaml", cwd))).message, /: a directory, want a file$/);
    await Deno.writeTextFile(`${cwd}/f.yaml`, "a: 1");
    assert.match((await refusal(() => readSource("f.yaml/x.yaml", cwd))).message, /want a directory$/);
    await Deno.writeFile(`${cwd}/big.yaml`, new Uint8Array(MAX_BYTES + 1).fill(32));
    assert.match((await refusal(() => readSource("big.yaml", cwd))).message, /: larger than 4194304 bytes/);
    assert.equal((await readSource("f.yaml", cwd)).text, "a: 1");
    assert.equal((await readSource(`${cwd}/f.yaml`, "/")).name, `${cwd}/f.yaml`);
  }));

Deno.test("a device is refused before it is read", async () => {
  if (Deno.build.os === "windows") return;
  assert.match((await refusal(() => readSource("/dev/zero", "/"))).message, /: a pipe or device/);
});

Deno.test("binary, UTF-16 and broken UTF-8 are named, broken UTF-8 with its place", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.equal(decode("f", bytes("\uFEFFa")).text, "a");
  assert.match(
    (await refusal(() => decode("f", bytes("a\0b")))).message,
    /: a binary file, want UTF-8 text$/,
  );
  assert.match((await refusal(() => decode("f", new Uint8Array([0xFF, 0xFE, 97, 0])))).message, /UTF-16/);
  for (const broken of [[0xFF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80]]) {
    const text = new Uint8Array([...bytes("é: 1\nbc"), ...broken]);
    assert.match((await refusal(() => decode("f", text))).message, /: not UTF-8 text at 2:3, want UTF-8$/);
    const more = new Uint8Array([...text, ...bytes("\nx: 1\n")]);
    assert.match((await refusal(() => decode("f", more))).message, /: not UTF-8 text at 2:3, want UTF-8$/);
  }
});

Deno.test("a file from disk, checked and typed", () =>
  inFolder(async (cwd) => {
    await Deno.writeTextFile(
      `${cwd}/c.json5`,
      "// ours\n{ sources: [{ kind: 'simulator', seed: ${SEED} }] }",
    );
    const broken = await refusal(() => loadConfig(schema, "c.json5", { cwd, env: {} }));
    assert.match(
      broken.message,
      /^read config "c\.json5": 1 problem\n {2}c\.json5:2:40: .*\n {4}\{ sources.*\n +\^$/,
    );
    await Deno.writeTextFile(
      `${cwd}/c.json5`,
      "// ours\n{ sources: [{ kind: 'simulator', seed: '${SEED}' }] }",
    );
    const { config } = await loadConfig(schema, "c.json5", { cwd, env: { SEED: "7" } });
    assert.deepEqual(config.sources, [{ kind: "simulator", seed: 7 }]);
  }));
