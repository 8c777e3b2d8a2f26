/**
 * The image, without a container engine: its Dockerfile is built by buildah on a clean checkout, and the result is run as
 * process 1, as its user, on a read-only tree. Takes as long as compiling; runs with the binary's tests
 * (`deno task test --binary dist/mdg`).
 */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { freePort } from "../../scripts/services/daemon.ts";
import { until } from "../end_to_end/until.ts";
import { inFolder } from "../in_folder.ts";
import { path } from "../mdg_process.ts";
import { serviceAddress, testUnless } from "../services.ts";
import { type BuiltImage, ImageBuilder, runProgram } from "./image_builder.ts";
import { CagedProcess, runCaged } from "./image_cage.ts";

const found = serviceAddress("buildah");

/** Every file that git knows or would take, as the working tree has it. */
async function cleanCheckout(folder: string): Promise<void> {
  const script =
    'cd "$1" && git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$2"';
  const { code, stderr } = await runProgram("sh", ["-c", script, "sh", path(""), folder]);
  assert.equal(code, 0, stderr);
}

/** Free ports in the places of the image's own: the network is this machine's. */
function withPorts(words: readonly string[], ports: Record<string, number>): string[] {
  return words.map((word) => word.replace(/:(\d+)$/, (_, port) => `:${ports[port]}`));
}

async function checkConfig({ root, config }: BuiltImage): Promise<void> {
  assert.equal(config.Labels["org.opencontainers.image.version"], manifest.version);
  assert.deepEqual([config.User, config.StopSignal], ["65532:65532", "SIGTERM"]);
  assert.deepEqual(Object.keys(config.ExposedPorts).sort(), ["8080/tcp", "9090/tcp"]);
  const { mode, uid } = await Deno.stat(`${root}/usr/local/bin/mdg`);
  assert.deepEqual([mode! & 0o777, uid], [0o555, 0], "its user can't replace the binary");
  assert.equal((await Deno.stat(`${root}/var/lib/mdg`)).uid, 65532);
  for (const absent of ["src", "deno-dir", "bin/sh", "usr/local/bin/deno"]) {
    await assert.rejects(Deno.lstat(`${root}/${absent}`), Deno.errors.NotFound, absent);
  }
}

testUnless(
  "missing" in found ? found.missing : undefined,
  "the image builds from a clean checkout, and runs without root on a read-only tree",
  () =>
    inFolder(async (context) => {
      if (!("address" in found)) return;
      await cleanCheckout(context);
      await using builder = await ImageBuilder.open(found.address);
      const image = await builder.build(context);
      await checkConfig(image);

      const { Entrypoint, Cmd, Healthcheck } = image.config;
      const ports = { 8080: freePort(), 9090: freePort() };
      const [kind, ...health] = Healthcheck.Test;
      assert.equal(kind, "CMD", "there is no shell");
      const ask = () => runCaged(image, [...health, `127.0.0.1:${ports[9090]}`]);
      const before = await ask();
      assert.deepEqual([before.code, before.stdout], [1, ""], "nobody there is exit code 1, not Docker's 2");
      assert.match(before.stderr, /^error: GET http:\S+\/health: /);

      await using mdg = new CagedProcess(image, [...Entrypoint, ...withPorts(Cmd, ports)]);
      const { pid, status } = await mdg.inside();
      await until("a healthy container", async () => (await ask()).code === 0, 30_000, () => mdg.said);
      assert.equal(status.get("NSpid")?.split(/\s+/).at(-1), "1", "it is process 1");
      assert.match(status.get("Uid")!, /^65532\b/);
      assert.deepEqual([status.get("CapEff"), status.get("NoNewPrivs")], ["0000000000000000", "1"]);
      const mounts = await Deno.readTextFile(`/proc/${pid}/mounts`);
      assert.match(mounts, /^\S+ \/ \S+ ro\b/m, "its root is read-only");
      const written = await runCaged(image, [...Entrypoint, "keygen", "-o", "/var/lib/mdg/key"]);
      assert.equal(written.code, 1);
      assert.match(written.stderr, /read-only file system/i);

      const page = await fetch(`http://127.0.0.1:${ports[9090]}/metrics`);
      assert.match(await page.text(), new RegExp(`mdg_build_info\\{version="${manifest.version}"`));
      Deno.kill(pid, "SIGTERM");
      assert.equal(await mdg.ended, 0, mdg.said);
      assert.match(mdg.said, /"message":"stopped"/);
    }),
);
