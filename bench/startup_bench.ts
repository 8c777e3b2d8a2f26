/**
 * From nothing to the first screen: `mdg --help` as a process, from source and, when MDG_BINARY names it, compiled.
 * The promise is below 150 ms for the binary; `version` adds the load of the logger.
 */
import { binary, runMdg } from "../tests/mdg_process.ts";

const name = binary ? "binary" : "source";

for (const args of [["--help"], ["version"]]) {
  Deno.bench({ name: `mdg ${args.join(" ")} (${name})`, group: "startup", n: 20, warmup: 2 }, async () => {
    const { code } = await runMdg({ args });
    if (code !== 0) throw new Error(`mdg ${args.join(" ")}: exit ${code}, want 0`);
  });
}
