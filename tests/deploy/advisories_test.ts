import assert from "node:assert/strict";
import { path } from "../mdg_process.ts";

/** Rows of the table "Known advisories": package, version since which it is mended. */
function mended(page: string): [string, string][] {
  const section = page.slice(page.indexOf("## Known advisories"));
  const rows = section.slice(0, section.indexOf("\n## ", 5)).matchAll(/^\| `([^`]+)` *\| ([\d.]+) /gm);
  return [...rows].map(([, name, version]) => [name, version]);
}
/** Every version of a package in the lock file. */
function locked(text: string, name: string): string[] {
  const { npm } = JSON.parse(text) as { npm: Record<string, unknown> };
  return Object.keys(npm).map((key) => key.split("_")[0]).filter((key) =>
    key.slice(0, key.lastIndexOf("@")) === name
  ).map((key) => key.slice(key.lastIndexOf("@") + 1));
}
function isBefore(version: string, other: string): boolean {
  const [a, b] = [version, other].map((one) => one.split(".").map(Number));
  const at = a.findIndex((part, i) => part !== b[i]);
  return at >= 0 && a[at] < b[at];
}
/** What is older than its mend, or is in the table and no longer in the lock file. */
function problems(page: string, lock: string): string[] {
  return mended(page).flatMap(([name, fixed]) => {
    const versions = locked(lock, name);
    if (versions.length === 0) return [`${name} is not locked`];
    return versions.filter((one) => isBefore(one, fixed)).map((one) => `${name}@${one} is before ${fixed}`);
  });
}

Deno.test("no locked package is older than the mend of an advisory that we know", () => {
  const page = Deno.readTextFileSync(path("docs/security.md"));
  assert.ok(mended(page).length >= 14, "the table is read");
  assert.deepEqual(problems(page, Deno.readTextFileSync(path("deno.lock"))), []);
});

Deno.test("canary: an old version, and a row of a package that is gone, are told", () => {
  const page =
    "## Known advisories\n\n| `ws` | 8.21.0 | x |\n| `a` | 1.0.0 | y |\n\n## Next\n| `b` | 1.0.0 | z |\n";
  const lock = JSON.stringify({ npm: { "ws@8.9.1_peer@1.0.0": {}, "ws@8.21.0": {}, "@x/ws@1.0.0": {} } });
  assert.deepEqual(problems(page, lock), ["ws@8.9.1 is before 8.21.0", "a is not locked"]);
});
