import assert from "node:assert/strict";
import {
  compareNames,
  foldedName,
  MAX_NAME_BYTES,
  nameFault,
} from "../../../../lib/formats/zip/entry_name.ts";

Deno.test("names that lead out, or mean something else elsewhere, are refused", () => {
  const wrong = [
    "",
    "/",
    "/etc/passwd",
    "../x",
    "a/../x",
    "a//b",
    "./a",
    "a/.",
    "C:/x",
    "a\\b",
    "a\nb",
    "a\0b",
  ];
  for (const name of [...wrong, "con", "dir/NUL.txt", "é".repeat(MAX_NAME_BYTES / 2 + 1)]) {
    assert.ok(nameFault(name), JSON.stringify(name));
  }
  for (const name of ["a", "a/b.txt", "..a/b..", ".env", "é/😀", "folder/", "console", " x "]) {
    assert.equal(nameFault(name), undefined, JSON.stringify(name));
  }
});

Deno.test("the order is that of the UTF-8 bytes", () => {
  const bytes = (name: string) => new TextEncoder().encode(name);
  const names = ["b", "a", "a/b", "a-b", "a.b", "A", "é", "z", "\uFFFD", "😀", "ab", "a "];
  const expected = names.toSorted((a, b) => {
    const [left, right] = [bytes(a), bytes(b)];
    for (let i = 0; i < left.length && i < right.length; i++) {
      if (left[i] !== right[i]) return left[i] - right[i];
    }
    return left.length - right.length;
  });
  assert.deepEqual(names.toSorted(compareNames), expected);
});

Deno.test("case and composition do not tell names apart on every system", () => {
  assert.equal(foldedName("É.txt"), foldedName("E\u0301.TXT"));
  assert.notEqual(foldedName("a"), foldedName("b"));
});
