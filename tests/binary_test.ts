/**
 * The compiled binary alone: no Deno, no cache, no repository around it. Skipped unless MDG_BINARY names it
 * (`deno task test --binary dist/mdg`). The scripts of tests/cli and tests/main_test.ts run against it as well.
 */
import assert from "node:assert/strict";
import manifest from "../deno.json" with { type: "json" };
import { binary } from "./mdg_process.ts";
import { testUnless } from "./services.ts";

const missing = binary ? undefined : "MDG_BINARY is not set; deno task test --binary dist/mdg sets it";

/** In an empty folder with an empty environment. */
async function runAlone(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const cwd = await Deno.makeTempDir({ prefix: "mdg-alone-" });
  try {
    const keep: Record<string, string> = Deno.build.os === "windows"
      ? { SYSTEMROOT: Deno.env.get("SYSTEMROOT") ?? "" }
      : {};
    const { code, stdout, stderr } = await new Deno.Command(binary!, {
      args: [...args],
      cwd,
      clearEnv: true,
      env: { ...keep, HOME: cwd, DENO_DIR: `${cwd}/none` },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

testUnless(missing, "the binary carries its version and knows that it is compiled", async () => {
  const { code, stdout, stderr } = await runAlone(["version", "--json"]);
  const facts = JSON.parse(stdout);
  assert.deepEqual([code, stderr, facts.version, facts.compiled], [0, "", manifest.version, true]);
});

testUnless(missing, "every command of the binary has help, so every module is inside", async () => {
  const commands = await import("../commands/registry.ts");
  for (const [word, entry] of Object.entries(commands) as [string, { kind: string }][]) {
    const { code, stdout, stderr } = await runAlone([word, "--help"]);
    assert.deepEqual([code, stderr], [0, ""], word);
    assert.ok(stdout.includes(entry.kind === "command" ? "Options:" : "Commands:"), word);
  }
});

testUnless(missing, "lazily loaded parts are inside as well", async () => {
  const completions = await runAlone(["completions", "zsh"]);
  assert.deepEqual([completions.code, completions.stderr], [0, ""]);
  assert.ok(completions.stdout.startsWith("#compdef mdg"));
  const verify = await runAlone(["verify", "not_there.gz"]);
  assert.equal(verify.code, 1);
  assert.match(verify.stderr, /^error: read capture "not_there\.gz": no such file\n/);
});
