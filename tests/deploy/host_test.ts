/** Without containers: the supervise file and the systemd unit, judged by their own tools. */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/debian.ts";
import { inFolder } from "../in_folder.ts";
import { path, runMdg } from "../mdg_process.ts";
import { serviceAddress, serviceTest, testUnless } from "../services.ts";
import { runProgram } from "./image_builder.ts";

const prometheus = serviceAddress("prometheus");
const analyze = await findProgram("systemd-analyze");
const unit = Deno.readTextFileSync(path("deploy/systemd/mdg.service"));

testUnless(
  await findProgram("redis-server") === undefined
    ? "no redis-server"
    : "missing" in prometheus
    ? prometheus.missing
    : undefined,
  "the supervise file has no problem, and all of its programs are there",
  async () => {
    const { code, stdout, stderr } = await runMdg({
      args: ["supervise", "check", path("deploy/supervise.yaml")],
    });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /valid, 6 apps/);
    const config = await runMdg({ args: ["config", "check", path("deploy/host/gateway.yaml")] });
    assert.equal(config.code, 0, config.stderr);
  },
);

serviceTest("promtool", "the scrape of the supervise file is one", async (promtool) => {
  const { code, stdout, stderr } = await runProgram(promtool, [
    "check",
    "config",
    path("deploy/host/prometheus.yml"),
  ]);
  assert.equal(code, 0, stdout + stderr);
});

testUnless(
  analyze ? undefined : "no systemd-analyze",
  "systemd takes the unit and rates it below 2.0",
  () =>
    inFolder(async (folder) => {
      // neither the program nor the user need be on this machine
      const here = unit.replaceAll("/usr/local/bin/mdg", "/bin/true").replace("User=mdg", "User=root");
      await Deno.writeTextFile(`${folder}/mdg.service`, here);
      const verified = await runProgram(analyze!, ["verify", `${folder}/mdg.service`]);
      assert.doesNotMatch(verified.stdout + verified.stderr, /mdg\.service:\d+|Unknown|ignoring/);
      const judged = await runProgram(analyze!, ["security", "--offline=true", `${folder}/mdg.service`]);
      const level = Number(
        /exposure level for mdg.service: ([\d.]+)/.exec(judged.stdout + judged.stderr)?.[1],
      );
      assert.ok(level < 2.0, String(level));
      const told =
        /systemd-analyze security`: ([\d.]+)/.exec(Deno.readTextFileSync(path("deploy/README.md")))![1];
      assert.ok(level <= Number(told), `deploy/README.md says ${told}, it is ${level}`);
    }),
);
