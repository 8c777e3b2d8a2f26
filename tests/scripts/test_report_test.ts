import assert from "node:assert/strict";
import { closingLine, readTestReport } from "../../scripts/test_report.ts";

/** What deno test --junit-path writes for the tests in `source`. */
async function junitOf(source: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-report-" });
  try {
    await Deno.writeTextFile(`${folder}/a_test.ts`, source);
    await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", `--junit-path=${folder}/junit.xml`, "a_test.ts"],
      cwd: folder,
      stdout: "null",
      stderr: "null",
    }).output();
    return await Deno.readTextFile(`${folder}/junit.xml`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("passed, failed and skipped tests are counted, reasons kept", async () => {
  const report = readTestReport(
    await junitOf(`
      Deno.test("good <&>", () => {});
      Deno.test("a > b", async (t) => { await t.step("c > d", () => {}); });
      Deno.test("prints", () => console.log("<failure>"));
      Deno.test("bad", () => { throw new Error("no"); });
      Deno.test({ name: 'off [skipped: no "Redis" & co]', ignore: true, fn() {} });
    `),
  );
  assert.deepEqual(report, { passed: 3, failed: 1, skipped: ['off [skipped: no "Redis" & co]'] });
  assert.equal(closingLine(report), "3 passed, 1 failed, 1 skipped");
});

Deno.test("no report counts nothing", () => {
  assert.deepEqual(readTestReport(""), { passed: 0, failed: 0, skipped: [] });
});
