/** Windows for development: no trap in the sources, and a start where the system is (made to look like) Windows. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { startFlags } from "../../scripts/compile.ts";
import { until } from "../end_to_end/until.ts";
import { path } from "../mdg_process.ts";
import { EXCUSED, LINUX_ONLY, trapsIn } from "./windows_traps.ts";

function readSources(folder: string): [file: string, source: string][] {
  return [...Deno.readDirSync(path(folder))].flatMap(({ name, isDirectory }) => {
    const file = `${folder}/${name}`;
    if (isDirectory) return readSources(file);
    return name.endsWith(".ts") ? [[file, Deno.readTextFileSync(path(file))] as [string, string]] : [];
  });
}

Deno.test("the sources have no trap that is not explained, and no explanation without its trap", () => {
  const sources = [
    ...readSources("lib"),
    ...readSources("commands"),
    ["main.ts", Deno.readTextFileSync(path("main.ts"))] as [string, string],
  ];
  const found = sources.flatMap(([file, source]) => trapsIn(file, source));
  assert.deepEqual(found.sort(), Object.keys(EXCUSED).sort());
  for (const place of Object.keys(LINUX_ONLY)) {
    assert.ok(sources.some(([file]) => file.startsWith(place)), place);
  }
});

const TRAPS: Record<string, string> = {
  "folder": `await Deno.open("/tmp/x");`,
  "signal": `Deno.addSignalListener("SIGUSR1", f);`,
  "native call at load": `const lib = Deno.dlopen("x", {});`,
  "path of an address": `new URL("x", import.meta.url).pathname`,
  "owner": `Deno.uid()`,
  "home": `world.env.HOME`,
  "unix socket": `Deno.listen({ transport: "unix", path })`,
  "shell": `new Deno.Command("sh")`,
};

for (const [trap, code] of Object.entries(TRAPS)) {
  Deno.test(`the search sees: ${trap}`, () => {
    assert.deepEqual(trapsIn("lib/sinks/a.ts", code), [`${trap} lib/sinks/a.ts`]);
    assert.deepEqual(trapsIn("lib/sinks/a.ts", `/** ${code} */\n// ${code}`), []);
  });
}

/** mdg from source with the permissions of the task `start`, on a system that looks like Windows. */
function command(...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--config",
      path("deno.json"),
      "--preload",
      path("tests/deploy/as_if_windows.ts"),
      ...startFlags(manifest.tasks.start),
      path("main.ts"),
      ...args,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

Deno.test("the gateway starts there, serves, and answers its health check", async () => {
  const child = command("run", "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0").spawn();
  const drained = child.stdout.cancel();
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  try {
    const url = await until("its address", () => /"url":"(http:[^"]+)"/.exec(said)?.[1], 20_000, () => said);
    const ready = await until(
      "books",
      async () => {
        const response = await fetch(`${url}/ready`);
        return (await response.json()).ready === true;
      },
      20_000,
      () => said,
    );
    assert.ok(ready);
    const { code, stdout } = await command("health", new URL(url).host).output();
    assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, `${url}/health: well\n`]);
  } finally {
    child.kill("SIGKILL");
    await Promise.all([child.status, reading, drained]);
  }
  assert.doesNotMatch(said, /"level":"(warn|error)"/);
});

Deno.test("what is for Linux only says so there", async () => {
  for (const args of [["shm", "read", "market_data"], ["supervise", path("deploy/supervise.yaml")]]) {
    const { code, stderr } = await command(...args).output();
    const said = new TextDecoder().decode(stderr);
    assert.ok(code === 1 || code === 2, `${args[0]}: ${code}`);
    assert.match(said, /^error: .*(Linux|linux|windows)/m, args[0]);
    assert.doesNotMatch(said, /\bat .*\.ts:\d+/, "no stack");
  }
});
