/** A config with encrypted values, as `run`, `config check` and `config show` load it. */
import assert from "node:assert/strict";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { encrypterFrom } from "../../../../lib/config/encryption/key_ring.ts";
import { loadConfig } from "../../../../lib/config/load.ts";
import { ConfigError } from "../../../../lib/config/problem.ts";
import { seal } from "../../../../lib/formats/encrypted_value/token.ts";
import { configSchema } from "../../../../lib/gateway/config_schema.ts";

async function withConfig(
  value: string,
  path: string,
  act: (file: { cwd: string; identity: string }) => Promise<void>,
) {
  const cwd = await Deno.makeTempDir({ prefix: "mdg-load-" });
  try {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    await Deno.writeTextFile(`${cwd}/a.key`, identity + "\n", { mode: 0o600 });
    const token = await seal(
      { value, path },
      await encrypterFrom({ recipients: [recipient] }, { cwd, env: {} }),
    );
    await Deno.writeTextFile(
      `${cwd}/c.yaml`,
      `sources:\n  - kind: simulator\n    symbols: [BTCUSD]\n    seed: ${token}\nencryption: {identity_file: a.key}\n`,
    );
    await act({ cwd, identity });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("values are opened in memory and masked when shown", () =>
  withConfig("load-canary-1", "/sources/0/seed", async ({ cwd }) => {
    const loaded = await loadConfig(configSchema(), `${cwd}/c.yaml`, { cwd, env: {} });
    assert.equal((loaded.config.sources[0] as unknown as { seed: string }).seed, "load-canary-1");
    const shown = JSON.stringify(loaded.masked());
    assert.doesNotMatch(shown, /canary/);
    assert.match(shown, /"seed":"\*\*\*"/);
    assert.match(shown, /"kind":"simulator"/);
  }));

Deno.test("a key file that others may read is refused", {
  ignore: Deno.build.os === "windows",
}, () =>
  withConfig("load-canary-2", "/sources/0/seed", async ({ cwd }) => {
    for (const mode of [0o640, 0o604, 0o660]) {
      await Deno.chmod(`${cwd}/a.key`, mode);
      await assert.rejects(
        loadConfig(configSchema(), `${cwd}/c.yaml`, { cwd, env: {} }),
        /others may use it \(mode 06\d\d\), want 0600/,
      );
    }
  }));

Deno.test("a value of another path and a foreign key are problems with a place; nothing is shown", async () => {
  await withConfig("load-canary-3", "/sinks/0/url", async ({ cwd }) => {
    await assert.rejects(loadConfig(configSchema(), `${cwd}/c.yaml`, { cwd, env: {} }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems[0].path, "sources[0].seed");
      assert.equal(error.problems[0].line, 4);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  });
  await withConfig("load-canary-4", "/sources/0/seed", async ({ cwd }) => {
    await Deno.writeTextFile(`${cwd}/a.key`, await generateX25519Identity());
    await assert.rejects(
      loadConfig(configSchema(), `${cwd}/c.yaml`, { cwd, env: {} }),
      /c\.yaml:4:11: sources\[0\]\.seed: encrypted value: none of the keys at hand opens it/,
    );
  });
});
