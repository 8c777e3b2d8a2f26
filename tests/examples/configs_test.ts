/** Every config under examples/ is one that `mdg run` takes. */
import assert from "node:assert/strict";
import { path, runMdg } from "../mdg_process.ts";

const folders = [...Deno.readDirSync(path("examples"))].filter(({ isDirectory }) => isDirectory);

for (const { name: folder } of folders) {
  for (const { name } of Deno.readDirSync(path(`examples/${folder}`))) {
    if (!name.endsWith(".yaml")) continue;
    Deno.test(`examples/${folder}/${name} is a config without a problem`, async () => {
      const { code, stderr } = await runMdg({
        args: ["config", "check", path(`examples/${folder}/${name}`)],
      });
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /warning/i);
    });
  }
}
