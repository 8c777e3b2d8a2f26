/**
 * A secret goes in; then everything that comes out is searched for it: the process table, logs at trace, errors, crash
 * reports, metrics, `config show`, files, and, with strace, every byte handed to the system.
 */
import assert from "node:assert/strict";
import { inFolder } from "../lib/bundle/bundle_folder.ts";
import { freePort } from "../../scripts/services/daemon.ts";
import { binary, mdgCommand, runMdg, spawnMdg } from "../mdg_process.ts";
import { serviceTest, testUnless } from "../services.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { assertNoSecret, filesBelow, formsOf, processTable, SECRET } from "./secret_forms.ts";
import { until } from "./until.ts";

const on_linux = Deno.build.os === "linux" ? undefined : "not Linux";

/** A key and a token of the secret for a place, in a folder. */
async function sealed(folder: string, key: string): Promise<string> {
  if (!await exists(`${folder}/a.key`)) {
    assert.equal((await runMdg({ args: ["keygen", "-o", "a.key"], cwd: folder })).code, 0);
  }
  const args = ["encrypt", "secret", "-i", "a.key", "-k", key];
  const { code, stdout, stderr } = await runMdg({ args, cwd: folder, stdin: SECRET });
  assert.equal(code, 0, stderr);
  assertNoSecret(stdout + stderr, "output of encrypt secret");
  return stdout.trim();
}

Deno.test("the search finds the secret in every form (canary)", () => {
  for (const [form, text] of formsOf(SECRET)) {
    assert.throws(() => assertNoSecret(`some ${text} more`, "canary"), /holds the secret/, form);
  }
  assertNoSecret("nothing here", "canary");
});

testUnless(
  on_linux,
  "while a value is encrypted it is in no command line and no environment",
  () =>
    inFolder(async (folder) => {
      await runMdg({ args: ["keygen", "-o", "a.key"], cwd: folder });
      const child = spawnMdg({ args: ["encrypt", "secret", "-i", "a.key"], cwd: folder });
      const writer = child.stdin.getWriter();
      const output = child.output();
      await writer.write(new TextEncoder().encode(SECRET));
      // it has the value, and waits for more
      for (let look = 0; look < 20; look++) {
        const table = processTable();
        assert.ok(table.includes(`${child.pid} cmdline`), "the table shows the process");
        assertNoSecret(table, "process table");
      }
      await writer.close();
      const { code, stdout, stderr } = await output;
      assert.equal(code, 0);
      assertNoSecret(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), "output");
    }),
);

serviceTest(
  "redis",
  "a running gateway shows its secrets nowhere: table, log at trace, metrics, health",
  (redis_url) =>
    inFolder(async (folder) => {
      const [password, seed] = [
        await sealed(folder, "sinks[0].password"),
        await sealed(folder, "sources[0].seed"),
      ];
      const health = `127.0.0.1:${freePort()}`;
      await Deno.writeTextFile(
        `${folder}/c.yaml`,
        `sources: [{kind: simulator, symbols: [BTCUSD], seed: "${seed}"}]\n` +
          `sinks: [{kind: redis, url: "${redis_url}", password: "${password}"}]\n` +
          `servers: [{kind: health, listen: "${health}"}]\n`,
      );
      const env = { MDG_IDENTITY_FILE: "a.key" };
      for (const args of [["config", "check"], ["config", "show"], ["config", "show", "--json"]]) {
        const { code, stdout, stderr } = await runMdg({ args: [...args, "c.yaml"], cwd: folder, env });
        assert.equal(code, 0, stderr);
        assertNoSecret(stdout + stderr, args.join(" "));
      }
      await using gateway = new DaemonProcess(["run", "--config", "c.yaml", "--log-level", "trace"], {
        cwd: folder,
        env,
      });
      await until(
        "the gateway talks to redis",
        () => gateway.log.some(({ message }) => /redis|library/.test(message)),
      );
      const pages = await until("health answers", async () => {
        try {
          const texts = await Promise.all(["health", "ready", "metrics"].map(async (page) => {
            return await (await fetch(`http://${health}/${page}`)).text();
          }));
          return texts.join("\n");
        } catch {
          return undefined;
        }
      });
      assertNoSecret(processTable(), "process table");
      assertNoSecret(pages, "health, ready, metrics");
      gateway.signal("SIGTERM");
      assert.equal(await gateway.ended, 0);
      assert.ok(gateway.log.length > 2, "there is a log to search");
      assertNoSecret(gateway.log.map((line) => JSON.stringify(line)).join("\n"), "log");
      assertNoSecret(gateway.talk.join("\n") + gateway.stdout.join("\n"), "output");
      // this redis wants no password: ioredis prints that by itself, which must come as a line of our log
      assert.deepEqual(gateway.talk.filter((line) => line.includes("[WARN]")), []);
      assert.equal(gateway.said("a library said").length, 1);
    }),
);

Deno.test("errors about a decrypted value name its place and not the value", () =>
  inFolder(async (folder) => {
    const at = {
      kind: "sinks[0].kind",
      url: "sinks[0].url",
      listen: "servers[0].listen",
    };
    const token: Record<string, string> = {};
    for (const [name, key] of Object.entries(at)) token[name] = await sealed(folder, key);
    const texts = [
      `sinks: [{kind: "${token.kind}"}]\n`,
      `sinks: [{kind: redis, url: "${token.url}"}]\n`,
      `servers: [{kind: health, listen: "${token.listen}"}]\n`,
      `sinks: [{kind: redis, url: "${token.kind}"}]\n`,
    ];
    for (const [i, text] of texts.entries()) {
      await Deno.writeTextFile(
        `${folder}/c.yaml`,
        `sources: [{kind: simulator, symbols: [BTCUSD]}]\n${text}`,
      );
      for (
        const args of [["config", "check", "--json"], [
          "run",
          "--log-level",
          "trace",
          "--config",
        ]]
      ) {
        const run = await runMdg({
          args: [...args, "c.yaml"],
          cwd: folder,
          env: { MDG_IDENTITY_FILE: "a.key" },
        });
        assert.equal(run.code, 2, `${i} ${args}: ${run.stderr}`);
        assertNoSecret(run.stdout + run.stderr, `${args.join(" ")} of config ${i}`);
      }
    }
  }));

/** Throws the secret as soon as the process knows one, where nothing catches it. */
const THROWER = `
const { knownSecrets } = await import(Deno.env.get("TEST_KNOWN_SECRETS"));
const secret = Deno.env.get("TEST_LENGTH");
const add = knownSecrets.add.bind(knownSecrets);
knownSecrets.add = (value) => {
  const result = add(value);
  if (value.length === Number(secret)) {
    const bytes = new TextEncoder().encode(value);
    const forms = [value, encodeURIComponent(value), JSON.stringify(value), bytes.toHex(), bytes.toBase64()];
    const error = new Error("failed with " + forms.join(" and "));
    if (Deno.env.get("TEST_HOW") === "reject") Promise.reject(error);
    else queueMicrotask(() => { throw error; });
  }
  return result;
};
`;

testUnless(
  binary ? "only from source" : undefined,
  "a crash nobody expected reports itself without the secret",
  () =>
    inFolder(async (folder) => {
      const seed = await sealed(folder, "sources[0].seed");
      await Deno.writeTextFile(
        `${folder}/c.yaml`,
        `sources: [{kind: simulator, symbols: [BTCUSD], seed: "${seed}"}]\n`,
      );
      await Deno.writeTextFile(`${folder}/thrower.js`, THROWER);
      const { program, args: [run, ...flags] } = mdgCommand();
      for (const how of ["throw", "reject"]) {
        const child = await new Deno.Command(program, {
          args: [
            run,
            "--preload",
            `${folder}/thrower.js`,
            ...flags,
            "--log-level",
            "debug",
            "run",
            "--config",
            "c.yaml",
          ],
          cwd: folder,
          env: {
            NO_COLOR: "1",
            MDG_IDENTITY_FILE: "a.key",
            TEST_HOW: how,
            TEST_LENGTH: String(SECRET.length),
            TEST_KNOWN_SECRETS: new URL("../../lib/base/known_secrets.ts", import.meta.url).href,
          },
        }).output();
        const said = new TextDecoder().decode(child.stderr) + new TextDecoder().decode(child.stdout);
        assert.equal(child.code, 1, said);
        assert.match(said, /unexpected error: failed with \*\*\*/, how);
        assert.match(said, /thrower\.js/, "the stack is there");
        assertNoSecret(said, how);
      }
    }),
);

serviceTest(
  "strace",
  "no byte of the secret is handed to the system but where it was asked for",
  (strace) =>
    inFolder(async (folder) => {
      const seed = await sealed(folder, "sources[0].seed");
      const config = `sources: [{kind: simulator, symbols: [BTCUSD], seed: "${seed}"}]\n`;
      await Deno.writeTextFile(`${folder}/value`, SECRET);
      const plain = `redis: {password: ${JSON.stringify(SECRET)}}\n`;
      const keys = ["-i", "a.key"];
      const commands = [
        ["encrypt", "secret", ...keys, "--value-file", "value"],
        ["encrypt", "file", "plain.yaml", ...keys],
        ["rekey", "c.yaml", ...keys],
        ["config", "check", "c.yaml"],
        ["config", "show", "c.yaml"],
        ["zip", "-o", "b.zip", "plain.yaml"],
      ];
      const { program, args: leading } = mdgCommand();
      for (const command of commands) {
        await Deno.writeTextFile(`${folder}/c.yaml`, config);
        await Deno.writeTextFile(`${folder}/plain.yaml`, plain);
        const trace = `${folder}/trace`;
        const calls = "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,execve";
        const run = await new Deno.Command(strace, {
          args: [
            "-f",
            "-qq",
            "-xx",
            "-s",
            "1000000",
            "-e",
            calls,
            "-o",
            trace,
            program,
            ...leading,
            ...command,
          ],
          cwd: folder,
          env: { NO_COLOR: "1", MDG_IDENTITY_FILE: "a.key", DENO_NO_UPDATE_CHECK: "1" },
        }).output();
        assert.equal(run.code, command[0] === "zip" ? 1 : 0, new TextDecoder().decode(run.stderr));
        // strings come as \\x61\\x62…
        const seen = (await Deno.readTextFile(trace)).replace(
          /(?:\\x[0-9a-f]{2})+/g,
          (text) => new TextDecoder().decode(Uint8Array.fromHex(text.replaceAll("\\x", ""))),
        );
        assert.ok(seen.includes(command.at(-1)!), "the trace shows what was started");
        assertNoSecret(seen, `strace of ${command.slice(0, 2).join(" ")}`);
        await Deno.remove(trace);
      }
    }),
);

testUnless(
  on_linux,
  "files: encrypting leaves only the token, decrypting to a new file makes a private one",
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/tmp`);
      await Deno.mkdir(`${folder}/c`);
      await Deno.writeTextFile(`${folder}/c/c.yaml`, `redis: {password: ${JSON.stringify(SECRET)}} # c\n`);
      const env = { TMPDIR: `${folder}/tmp`, XDG_RUNTIME_DIR: `${folder}/tmp`, EDITOR: "true", VISUAL: "" };
      const run = async (...args: string[]) => {
        const result = await runMdg({ args, cwd: `${folder}/c`, env });
        assert.equal(result.code, 0, result.stderr);
      };
      await run("keygen", "-o", "a.key");
      await run("encrypt", "file", "c.yaml", "-i", "a.key");
      for (const command of [["rekey"], ["edit"]]) await run(...command, "c.yaml", "-i", "a.key");
      assertNoSecret(filesBelow(folder), "files");
      assert.deepEqual([...Deno.readDirSync(`${folder}/c`)].map(({ name }) => name).sort(), [
        "a.key",
        "c.yaml",
      ]);
      await run("decrypt", "file", "c.yaml", "-i", "a.key", "-o", "plain.yaml");
      assert.equal(Deno.statSync(`${folder}/c/plain.yaml`).mode! & 0o777, 0o600);
      await Deno.remove(`${folder}/c/plain.yaml`);
      assertNoSecret(filesBelow(folder), "files after decrypting");
    }),
);

async function exists(name: string): Promise<boolean> {
  return await Deno.stat(name).then(() => true, () => false);
}
