/**
 * `deno task bench [NAME…]`: runs every tests/bench/*_bench.ts (or those whose name contains a NAME) one after another,
 * each in its own process so that one's heap and compiled code do not colour the next. Figures go to stdout.
 */
const folder = new URL("../tests/bench/", import.meta.url);
const wanted = Deno.args.filter((word) => !word.startsWith("-"));
const options = Deno.args.filter((word) => word.startsWith("-"));
const names = [...Deno.readDirSync(folder)].map((entry) => entry.name)
  .filter((name) => name.endsWith("_bench.ts"))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .sort();
if (names.length === 0) throw new Error(`no bench matches ${wanted.join(", ")}`);
const failed: string[] = [];
for (const name of names) {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--v8-flags=--expose-gc,--max-semi-space-size=4",
      new URL(name, folder).pathname,
      ...options,
    ],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) throw new Error(`failed: ${failed.join(", ")}`);
