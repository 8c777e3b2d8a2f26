import assert from "node:assert/strict";
import { UserError } from "../../../../lib/base/errors.ts";
import { archiveTime } from "../../../../lib/formats/zip/archive_time.ts";

Deno.test("the stamp is UTC, and its local fields say so in any zone", () => {
  const time = archiveTime("1700000001");
  assert.deepEqual(
    [
      time.getFullYear(),
      time.getMonth(),
      time.getDate(),
      time.getHours(),
      time.getMinutes(),
      time.getSeconds(),
    ],
    [2023, 10, 14, 22, 13, 21],
  );
});

Deno.test("absent and too early is the first moment that a zip can hold", () => {
  for (const text of [undefined, "", "0", "315532799", "315532801"]) {
    assert.equal(archiveTime(text).getTime(), Date.UTC(1980, 0, 1), String(text));
  }
});

Deno.test("what is no time that a zip can hold is refused", () => {
  for (const text of ["-1", "1e9", "now", "1.5", " 1", "4354819200", "999999999999"]) {
    assert.throws(() => archiveTime(text), UserError, text);
  }
});
