/** The generated unit, judged by systemd's own tools where they are. */
import assert from "node:assert/strict";
import { superviseSchema } from "../../../lib/supervisor/config_schema.ts";
import { systemdUnit } from "../../../lib/supervisor/systemd_unit.ts";
import { findProgram } from "../../../scripts/debian.ts";
import { inFolder } from "../../in_folder.ts";
import { testUnless } from "../../services.ts";

const config = superviseSchema.parse({
  apps: [{ name: "a", script: "x", depends_on: ["b"] }, { name: "b", script: "x", kill_timeout: "10s" }],
});
const options = {
  file: "/etc/mdg/supervise.yaml",
  binary: "/bin/true",
  user: "root",
  runtime: "mdg-supervise",
  writable: [],
  config,
};
const analyze = await findProgram("systemd-analyze");

Deno.test("the unit: programs outlive a crash, all of them have their time", () => {
  const lines = systemdUnit(options).split("\n");
  for (
    const line of [
      "Type=notify",
      "KillMode=process",
      "TimeoutStopSec=55",
      "RestartPreventExitStatus=2",
      "ExecStart=/bin/true supervise /etc/mdg/supervise.yaml",
      "ReadWritePaths=/etc/mdg/logs",
      "NoNewPrivileges=yes",
    ]
  ) assert.ok(lines.includes(line), line);
});

Deno.test("a name with blanks, quotes and percent signs is one word", () => {
  const unit = systemdUnit({ ...options, file: '/etc/my "mdg"/100%.yaml' });
  assert.match(unit, /^ExecStart=\/bin\/true supervise "\/etc\/my \\"mdg\\"\/100%%.yaml"$/m);
});

testUnless(
  analyze ? undefined : "no systemd-analyze",
  "systemd-analyze finds nothing to complain of",
  () =>
    inFolder(async (folder) => {
      const path = `${folder}/mdg.service`;
      await Deno.writeTextFile(path, systemdUnit(options));
      const run = async (...args: string[]) => {
        const { stdout, stderr } = await new Deno.Command(analyze!, { args }).output();
        return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      };
      assert.doesNotMatch(await run("verify", path), /mdg\.service:\d+|Unknown|ignoring/);
      const judged = await run("security", "--offline=true", path);
      const level = Number(/exposure level for mdg.service: ([\d.]+)/.exec(judged)?.[1]);
      assert.ok(level < 2.5, judged.slice(-200));
    }),
);
