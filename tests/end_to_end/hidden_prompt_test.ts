/** Prompts on a real terminal: nothing typed is shown, keys do what they must, and the terminal is left as it was. */
import assert from "node:assert/strict";
import { inFolder } from "../lib/bundle/bundle_folder.ts";
import { mdgCommand, path, runMdg } from "../mdg_process.ts";
import { serviceAddress, serviceTest, testUnless } from "../services.ts";
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

serviceTest(
  "python",
  "a key closed by a passphrase: typed twice when made, asked for once by each command",
  (python) =>
    inFolder(async (cwd) => {
      const twice: Step[] = [["Passphrase: ", `${TYPED}\r`], ["Again: ", `${TYPED}\r`]];
      const made = await typeAt(python, { cwd }, twice, ["keygen", "-p", "-o", "a.key"]);
      assert.equal(made.code, 0, made.shown);
      const differs: Step[] = [["Passphrase: ", `${TYPED}\r`], ["Again: ", "other\r"]];
      assert.equal((await typeAt(python, { cwd }, differs, ["keygen", "-p", "-o", "b.key"])).code, 1);
      assert.match(await Deno.readTextFile(`${cwd}/a.key`), /^-----BEGIN AGE ENCRYPTED FILE-----/);
      await Deno.writeTextFile(`${cwd}/c.yaml`, "a: {password: one-canary}\nb: {password: two-canary}\n");
      const ask: Step[] = [['Passphrase of "a.key": ', `${TYPED}\r`]];
      const closed = await typeAt(python, { cwd }, ask, ["encrypt", "file", "c.yaml", "-i", "a.key"]);
      assert.match(closed.shown, /2 values encrypted/);
      const opened = await typeAt(python, { cwd }, ask, [
        "decrypt",
        "file",
        "c.yaml",
        "-i",
        "a.key",
        "-o",
        "-",
      ]);
      assert.match(opened.shown, /one-canary[^]*two-canary/);
      assert.doesNotMatch(made.shown + closed.shown + opened.shown, /hunter2/);
      const wrong = { MDG_PASSPHRASE: "not this one" };
      const refused = await runMdg({ args: ["decrypt", "file", "c.yaml", "-i", "a.key"], cwd, env: wrong });
      assert.equal(refused.code, 2);
      assert.match(
        refused.stderr,
        /identity file "a\.key": this passphrase does not open it, or it is damaged/,
      );
      const silent = await runMdg({ args: ["decrypt", "file", "c.yaml", "-i", "a.key"], cwd });
      assert.match(silent.stderr, /closed by a passphrase, want MDG_PASSPHRASE or a terminal/);
    }),
);

const age = serviceAddress("age");
const python = serviceAddress("python");
const missing = "missing" in age ? age.missing : "missing" in python ? python.missing : undefined;

testUnless(
  missing,
  "age opens a file with a key that keygen closed by a passphrase",
  () =>
    inFolder(async (cwd) => {
      assert.ok("address" in age && "address" in python);
      const env = { MDG_PASSPHRASE: TYPED };
      const { stderr } = await runMdg({ args: ["keygen", "-p", "-o", "a.key"], cwd, env });
      const recipient = /age1\w+/.exec(stderr)![0];
      const { stdout } = await runMdg({
        args: ["encrypt", "secret", "-a", "-r", recipient],
        cwd,
        stdin: "for age",
      });
      await Deno.writeTextFile(`${cwd}/value.age`, stdout);
      const typing = await new Deno.Command(python.address, {
        args: [
          path("tests/end_to_end/typist.py"),
          JSON.stringify([["passphrase", `${TYPED}\r`]]),
          ...[age.address, "-d", "-i", "a.key", "-o", "value", "value.age"],
        ],
        cwd,
      }).output();
      assert.equal((JSON.parse(new TextDecoder().decode(typing.stdout)) as Session).code, 0);
      assert.equal(await Deno.readTextFile(`${cwd}/value`), "for age");
    }),
);
