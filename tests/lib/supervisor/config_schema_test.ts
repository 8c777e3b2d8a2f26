/** The supervise file: what is filled in, what is refused, all at once. */
import assert from "node:assert/strict";
import { loadSuperviseFile } from "../../../lib/supervisor/load_supervise_file.ts";
import { superviseJsonSchema } from "../../../lib/supervisor/config_schema.ts";
import { parseDuration, parseSize } from "../../../lib/supervisor/quantities.ts";
import { longestStopMs } from "../../../lib/supervisor/systemd_unit.ts";
import { inFolder } from "../../in_folder.ts";

async function load(text: string, env: Record<string, string> = {}) {
  let result: Awaited<ReturnType<typeof loadSuperviseFile>> | undefined;
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/s.yaml`, text);
    result = await loadSuperviseFile("s.yaml", { cwd: folder, env });
  });
  return result!.value;
}

async function problems(text: string): Promise<string[]> {
  try {
    await load(text);
  } catch (error) {
    return (error as Error).message.split("\n").slice(1).map((line) => line.trim());
  }
  return [];
}

Deno.test("defaults, units and variables", async () => {
  const { apps: [app], logs } = await load(
    "apps:\n  - {name: a, script: mdg, kill_timeout: 5s, max_memory_restart: 1.5G, min_uptime: '${UP}', args: [1]}\n",
    { UP: "250" },
  );
  assert.equal(app.kill_timeout, 5_000);
  assert.equal(app.max_memory_restart, 1.5 * 1024 ** 3);
  assert.equal(app.min_uptime, 250);
  assert.deepEqual(app.args, ["1"]);
  assert.equal(app.max_restarts, 16);
  assert.equal(app.autorestart, "always");
  assert.equal(logs.max_size, 50 * 1_048_576);
});

Deno.test("every problem at once, each at its place", async () => {
  assert.deepEqual(
    await problems(
      "apps:\n" +
        "  - name: all\n" +
        "    script: x\n" +
        "    kil_timeout: 5\n" +
        "  - name: b\n" +
        "    script: x\n" +
        "    max_memory_restart: lots\n" +
        "    depends_on: [b]\n" +
        "    ready: {port: 1, http: http://x}\n",
    ),
    [
      's.yaml:2:11: apps[0].name: "all", want another name: "all" means every app',
      's.yaml:4:5: apps[0].kil_timeout: unknown key: did you mean "kill_timeout"?',
      's.yaml:7:25: apps[1].max_memory_restart: "lots", want a size of at least 1048576 bytes, such as "500M" or "1G"',
      "s.yaml:8:17: apps[1].depends_on: a cycle: b needs b, want none",
      "s.yaml:9:12: apps[1].ready: a mapping, want exactly one of port, http, line, notify",
    ],
  );
});

Deno.test("a cycle of dependencies, an app that is not there, a name twice", async () => {
  assert.deepEqual(
    await problems(
      "apps:\n" +
        "  - {name: a, script: x, depends_on: [b]}\n" +
        "  - {name: b, script: x, depends_on: [c, d]}\n" +
        "  - {name: c, script: x, depends_on: [a]}\n" +
        "  - {name: c, script: x}\n",
    ),
    [
      "s.yaml:2:38: apps[0].depends_on: a cycle: a needs b needs c needs a, want none",
      's.yaml:3:42: apps[1].depends_on[1]: no app has the name "d"',
      's.yaml:5:12: apps[3].name: "c" is the name of apps[2], want another',
    ],
  );
  assert.match((await problems("apps: [{name: a, script: x, depends_on: [a]}]"))[0], /a needs a/);
});

Deno.test("the times of a chain of dependencies add up", async () => {
  const config = await load(
    "apps:\n  - {name: a, script: x, kill_timeout: 10s, depends_on: [b]}\n" +
      "  - {name: b, script: x, kill_timeout: 5s}\n  - {name: c, script: x, kill_timeout: 12s}\n",
  );
  assert.equal(longestStopMs(config), 15_000);
});

Deno.test("durations and sizes", () => {
  assert.deepEqual(["5", "5ms", "1.5s", "2m", "1h", "x", "5 d"].map(parseDuration), [
    5,
    5,
    1_500,
    120_000,
    3_600_000,
    undefined,
    undefined,
  ]);
  assert.deepEqual(["5", "1K", "2MB", "1GiB", "500M", "-1", "M"].map(parseSize), [
    5,
    1_024,
    2 * 1_048_576,
    1024 ** 3,
    500 * 1_048_576,
    undefined,
    undefined,
  ]);
});

Deno.test("the JSON Schema knows every key and lets numbers be variables", () => {
  const text = JSON.stringify(superviseJsonSchema());
  for (const key of ["max_memory_restart", "schedule", "depends_on", "health_check"]) {
    assert.ok(text.includes(`"${key}"`), key);
  }
});
