/**
 * Runs tests/cli/*.txt: each script in a folder of its own, each command a process of its own (source or MDG_BINARY).
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import manifest from "../deno.json" with { type: "json" };
import { difference, parseScript } from "./cli_script.ts";
import { path, runMdg } from "./mdg_process.ts";

const folder = path("tests/cli");
const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) =>
  name.endsWith(".txt")
);

Deno.test("there are scripts to run", () => assert.ok(names.length > 0));

for (const name of names.sort()) {
  Deno.test(`tests/cli/${name}`, async (context) => {
    const cwd = await Deno.makeTempDir({ prefix: "mdg-cli-" });
    const resolve = (text: string) =>
      text.replaceAll("{VERSION}", manifest.version).replaceAll("{FOLDER}", cwd).replaceAll(
        "{FIXTURES}",
        path("fixtures"),
      );
    try {
      const script = parseScript(await Deno.readTextFile(`${folder}/${name}`));
      assert.ok(script.steps.length > 0, "a script has at least one command");
      for (const file of script.files) {
        await Deno.mkdir(dirname(`${cwd}/${file.name}`), { recursive: true });
        await Deno.writeTextFile(`${cwd}/${file.name}`, file.text);
      }
      for (const step of script.steps) {
        await context.step(`line ${step.line}: mdg ${step.words.join(" ")}`, async () => {
          const result = await runMdg({
            args: step.words.map(resolve),
            cwd,
            env: script.env,
            stdin: step.stdin,
          });
          const problems = [
            difference([String(step.code)], String(result.code)),
            difference(step.stdout.map(resolve), result.stdout),
            difference(step.stderr.map(resolve), result.stderr),
          ].map((text, i) => text && `${["status", "stdout", "stderr"][i]}: ${text}`).filter(Boolean);
          assert.equal(problems.join("\n"), "");
        });
      }
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  });
}
