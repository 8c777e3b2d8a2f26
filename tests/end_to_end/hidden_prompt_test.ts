/** Prompts on a real terminal: nothing typed is shown, keys do what they must, and the terminal is left as it was. */
import assert from "node:assert/strict";
import { inFolder } from "../lib/bundle/bundle_folder.ts";
import { mdgCommand, path, runMdg } from "../mdg_process.ts";
import { serviceTest } from "../services.ts";
import { assertNoSecret } from "./secret_forms.ts";

interface Session {
  code: number;
  shown: string;
  restored: boolean;
  steps_left: number;
}
type Step = [wait_for: string, type: string | { signal: number }];

async function typeAt(
  python: string,
  options: { cwd: string; env?: Record<string, string> },
  steps: Step[],
  args: string[],
): Promise<Session> {
  const { program, args: leading } = mdgCommand();
  const { stdout, stderr } = await new Deno.Command(python, {
    args: [path("tests/end_to_end/typist.py"), JSON.stringify(steps), program, ...leading, ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  const session = JSON.parse(text) as Session;
  assert.equal(session.steps_left, 0, session.shown);
  assert.ok(session.restored, "echo and line mode are on again");
  return session;
}

const TYPED = "hunter2-canary-f00d";
const QUESTION = "Secret (not shown): ";

serviceTest(
  "python",
  "a typed secret is not shown; DEL and ^U edit it; Enter ends it",
  (python) =>
    inFolder(async (cwd) => {
      await runMdg({ args: ["keygen", "-o", "a.key"], cwd });
      const encrypt = ["encrypt", "secret", "-i", "a.key", "-k", "redis.password"];
      const keys: [string, string][] = [
        ["plain", `${TYPED}\r`],
        ["DEL takes a character, of two bytes too", `${TYPED}é\u007fx\u007f\r`],
        ["backspace", `${TYPED}x\b\n`],
        ["^U takes all", `wrong\u0015${TYPED}\r`],
        ["^D ends", `${TYPED}\u0004`],
      ];
      for (const [name, typed] of keys) {
        const { code, shown } = await typeAt(python, { cwd }, [[QUESTION, typed]], encrypt);
        assert.equal(code, 0, `${name}: ${shown}`);
        assertNoSecret(shown, name, TYPED);
        assert.doesNotMatch(shown, /hunter2|wrong/);
        assert.match(shown, /19 bytes/, name);
        const token = /ENC\[[^\]]*\]/.exec(shown)![0];
        const { stdout } = await runMdg({ args: ["decrypt", "secret", "-i", "a.key", token], cwd });
        assert.equal(stdout, TYPED, name);
      }
    }),
);

serviceTest(
  "python",
  "^C and SIGTERM at a prompt end at once, with their codes, and the terminal is restored",
  (python) =>
    inFolder(async (cwd) => {
      await runMdg({ args: ["keygen", "-o", "a.key"], cwd });
      const encrypt = ["encrypt", "secret", "-i", "a.key"];
      const interrupted = await typeAt(python, { cwd }, [[QUESTION, `${TYPED}\u0003`]], encrypt);
      assert.equal(interrupted.code, 130, interrupted.shown);
      assert.doesNotMatch(interrupted.shown, /hunter2|unexpected/);
      const terminated = await typeAt(python, { cwd }, [[QUESTION, { signal: 15 }]], encrypt);
      assert.equal(terminated.code, 0, terminated.shown);
    }),
);

serviceTest("python", "a passphrase is asked for, and not shown", (python) =>
  inFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/c.yaml`, "redis: {password: some-value}\n");
    const typed: Step[] = [["Passphrase", `${TYPED}\r`]];
    const { code, shown } = await typeAt(python, { cwd }, typed, ["encrypt", "file", "c.yaml", "-p"]);
    assert.equal(code, 0, shown);
    assert.doesNotMatch(shown, /hunter2/);
    const env = { MDG_PASSPHRASE: TYPED };
    const back = await runMdg({ args: ["decrypt", "file", "c.yaml", "-o", "-"], cwd, env });
    assert.equal(back.stdout, "redis: {password: some-value}\n", back.stderr);
  }));

serviceTest(
  "python",
  "after a broken edit the editor is offered again, or everything stays",
  (python) =>
    inFolder(async (cwd) => {
      await Deno.mkdir(`${cwd}/run`, { mode: 0o700 });
      await Deno.writeTextFile(`${cwd}/c.yaml`, "redis: {password: first-canary}\n");
      await runMdg({ args: ["keygen", "-o", "a.key"], cwd });
      await runMdg({ args: ["encrypt", "file", "c.yaml", "-i", "a.key"], cwd });
      const before = await Deno.readTextFile(`${cwd}/c.yaml`);
      // breaks the text, then mends what it broke
      const script = `#!/bin/sh\nif grep -q '\\[\\[' "$1"; then sed -i 's/\\[\\[/second-canary/' "$1"; ` +
        `else sed -i 's/first-canary/[[/' "$1"; fi\n`;
      await Deno.writeTextFile(`${cwd}/editor`, script, { mode: 0o755 });
      const env = { EDITOR: `${cwd}/editor`, VISUAL: "", XDG_RUNTIME_DIR: `${cwd}/run` };
      const edit = ["edit", "c.yaml", "-i", "a.key"];
      const quit = await typeAt(python, { cwd, env }, [["Edit again (e)", "xq"]], edit);
      assert.equal(quit.code, 0, quit.shown);
      assert.match(quit.shown, /c\.yaml:\d+:\d+: [^]*nothing changed/);
      assert.equal(await Deno.readTextFile(`${cwd}/c.yaml`), before);
      const again = await typeAt(python, { cwd, env }, [["Edit again (e)", "e"]], edit);
      assert.equal(again.code, 0, again.shown);
      assert.match(again.shown, /1 value encrypted/);
      assert.doesNotMatch(quit.shown + again.shown + await Deno.readTextFile(`${cwd}/c.yaml`), /canary/);
      const shown = await runMdg({ args: ["decrypt", "file", "c.yaml", "-i", "a.key", "-o", "-"], cwd });
      assert.match(shown.stdout, /second-canary/);
      assert.deepEqual([...Deno.readDirSync(`${cwd}/run`)], []);
    }),
);
