/** A bundle is what its manifest says, or it is told what differs; no damage gets past, crashes or hangs the reader. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { UserError } from "../../../lib/base/errors.ts";
import { Random } from "../../../lib/base/random.ts";
import { type Verdict, verifyBundle } from "../../../lib/bundle/verify_bundle.ts";
import { MANIFEST_NAME, type ManifestFile, manifestText } from "../../../lib/formats/zip/manifest.ts";
import { archiveTime } from "../../../lib/formats/zip/archive_time.ts";
import { type ArchiveEntry, writeArchive } from "../../../lib/formats/zip/write_archive.ts";
import { is_long, testUnless } from "../../services.ts";
import { bundleBytes, inFolder, listAll } from "./bundle_folder.ts";

async function verdictOn(folder: string, bytes: Uint8Array, max_bytes = 1e9): Promise<Verdict> {
  await Deno.writeFile(`${folder}.zip`, bytes);
  try {
    return await verifyBundle(`${folder}.zip`, {
      max_bytes,
      progress() {},
      signal: new AbortController().signal,
    });
  } finally {
    await Deno.remove(`${folder}.zip`);
  }
}

/** An archive of these texts, with a manifest of its own making. */
async function archiveOf(
  contents: Record<string, string>,
  manifest: Parameters<typeof manifestText>[0] | undefined,
): Promise<Buffer> {
  const entry = (name: string, text: string): ArchiveEntry => ({
    name,
    is_executable: false,
    content: () => [new TextEncoder().encode(text)],
  });
  const entries = Object.entries(contents).map(([name, text]) => entry(name, text));
  if (manifest) entries.push(entry(MANIFEST_NAME, manifestText(manifest)));
  return Buffer.concat(
    await Array.fromAsync(writeArchive(entries, { time: archiveTime(undefined), level: 6 })),
  );
}

async function record(path: string, text: string): Promise<ManifestFile> {
  const bytes = new TextEncoder().encode(text);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return { path, bytes: bytes.length, sha256, mode: "0644" };
}

Deno.test("a whole bundle has no problems", () =>
  inFolder(async (root) => {
    await Deno.mkdir(`${root}/empty`);
    await Deno.writeTextFile(`${root}/a`, "one");
    await Deno.writeFile(`${root}/b`, new Uint8Array(100_000), { mode: 0o755 });
    for (const level of [0, 1, 9]) {
      const verdict = await verdictOn(root, await bundleBytes(await listAll(root), level));
      assert.deepEqual(verdict.problems, []);
      assert.equal(verdict.manifest.files.length, 2);
    }
  }));

Deno.test("changed, missing and extra files are named", () =>
  inFolder(async (root) => {
    const files = [
      await record("changed", "before"),
      await record("missing", "x"),
      await record("same", "s"),
    ];
    files.push(await record("longer", "1"));
    const manifest = { files, empty_folders: ["gone"] };
    const bytes = await archiveOf({ changed: "after!", same: "s", extra: "e", longer: "22" }, manifest);
    const { problems } = await verdictOn(root, bytes);
    assert.deepEqual(problems, [
      '"changed": changed: another SHA-256 than in the manifest',
      '"missing": missing',
      '"longer": 2 bytes, want 1',
      '"gone/": missing',
      '"extra": not in the manifest',
    ]);
  }));

Deno.test("archives that unpackers read differently, or that lead out, are refused", () =>
  inFolder(async (root) => {
    const manifest = { files: [await record("aaaa", "text")], empty_folders: [] };
    const good = await archiveOf({ aaaa: "text", bbbb: "more" }, manifest);
    const renamed = (from: string, to: string) =>
      Buffer.from(good.toString("latin1").replaceAll(from, to), "latin1");
    const cases: [string, Uint8Array, RegExp][] = [
      ["empty", new Uint8Array(0), /too short/],
      ["no zip", new Uint8Array(1000), /no end record/],
      ["duplicate", renamed("bbbb", "aaaa"), /two entries are called "aaaa"/],
      ["traversal", renamed("bbbb", "../b"), /leads out of the folder/],
      ["absolute", renamed("bbbb", "/bbb"), /an absolute path/],
      ["device", renamed("bbbb", "nul."), /Windows device/],
      ["prefix", Buffer.concat([Buffer.from("#!/bin/sh\n"), good]), /not where the end record says/],
      ["trailing", Buffer.concat([good, Buffer.from("x")]), /no end record/],
      ["no manifest", await archiveOf({ a: "b" }, undefined), /no mdg-manifest.json/],
      ["two names", Buffer.from(good.toString("latin1").replace("bbbb", "cccc"), "latin1"), /another name/],
    ];
    for (const [name, bytes, pattern] of cases) {
      await assert.rejects(
        verdictOn(root, bytes),
        (error) => error instanceof UserError && pattern.test(error.message),
        name,
      );
    }
  }));

Deno.test("bombs: sizes beyond deflate, beyond the bound and beyond the truth are refused", () =>
  inFolder(async (root) => {
    const manifest = { files: [await record("a", "x".repeat(50_000))], empty_folders: [] };
    const good = await archiveOf({ a: "x".repeat(50_000) }, manifest);
    assert.deepEqual((await verdictOn(root, good)).problems, []);
    await assert.rejects(verdictOn(root, good, 10_000), /unpacked, want at most 10000/);
    const central = good.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    const descriptor = good.indexOf(Buffer.from([0x50, 0x4b, 7, 8]));
    const restated = (bytes: number) => {
      const copy = Buffer.from(good);
      copy.writeUInt32LE(bytes, central + 24);
      copy.writeUInt32LE(bytes, descriptor + 12);
      return copy;
    };
    await assert.rejects(
      verdictOn(root, restated(0x7fffffff), 1e12),
      /larger than its packed bytes can give/,
    );
    for (const bytes of [49_999, 50_001]) {
      assert.match(
        (await verdictOn(root, restated(bytes))).problems.join("\n"),
        new RegExp(`^"a": ${bytes} bytes, want 50000`),
      );
    }
    const lying = { files: [{ ...manifest.files[0], bytes: 40_000 }], empty_folders: [] };
    const less = await archiveOf({ a: "x".repeat(50_000) }, lying);
    const at = [
      less.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24,
      less.indexOf(Buffer.from([0x50, 0x4b, 7, 8])) + 12,
    ];
    for (const offset of at) less.writeUInt32LE(40_000, offset);
    assert.match(
      (await verdictOn(root, less)).problems.join("\n"),
      /more than the 40000 bytes that it says it has/,
    );
  }));

Deno.test("damage of any byte is told or harmless, never a crash, and content is always proved", () =>
  inFolder(async (root) => {
    const contents = { "a.txt": "some text, not very long", "b/c.bin": "\0".repeat(2_000) };
    const files = await Promise.all(Object.entries(contents).map(([name, text]) => record(name, text)));
    const good = await archiveOf(contents, { files, empty_folders: [] });
    const random = new Random("archive damage");
    let told = 0;
    const rounds = is_long ? 20_000 : 1_500;
    for (let round = 0; round < rounds; round++) {
      const at = Math.floor(random.unit() * good.length);
      const damaged = Buffer.from(good);
      if (random.unit() < 0.7) damaged[at] ^= 1 << Math.floor(random.unit() * 8);
      const bytes = random.unit() < 0.7
        ? damaged
        : Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1 + Math.floor(random.unit() * 40))]);
      try {
        const { problems, manifest } = await verdictOn(root, bytes);
        if (problems.length > 0) told++;
        // what passes has the very content that was packed
        else assert.deepEqual(manifest.files, files);
      } catch (error) {
        assert.ok(error instanceof UserError, `round ${round}: ${error}`);
        told++;
      }
    }
    // stamps and version fields are not content; nearly everything else is
    assert.ok(told > rounds / 2, `${told} of ${rounds}`);
  }));

testUnless(
  is_long ? undefined : "only with --long",
  "more entries than a plain zip can count (zip64)",
  () =>
    inFolder(async (root) => {
      const names = Array.from({ length: 66_000 }, (_, i) => `f${i}`);
      const files = await Promise.all(names.map((name) => record(name, "x")));
      const bytes = await archiveOf(Object.fromEntries(names.map((name) => [name, "x"])), {
        files,
        empty_folders: [],
      });
      const { problems, manifest } = await verdictOn(root, bytes);
      assert.deepEqual([problems.length, manifest.files.length], [0, 66_000]);
    }),
);
