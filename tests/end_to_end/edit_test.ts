/** `mdg edit` with editors that are scripts: what they see, what comes back, and that nothing is left on any way out. */
import assert from "node:assert/strict";
import { inFolder } from "../lib/bundle/bundle_folder.ts";
import { type MdgResult, runMdg, spawnMdg } from "../mdg_process.ts";
import { testUnless } from "../services.ts";
import { until } from "./until.ts";

const unix = Deno.build.os === "windows" ? "no POSIX shell" : undefined;
const PLAIN = "# config\nredis:\n  password: first-canary # keep\nport: 6379\n";

interface Scene {
  folder: string;
  /** Runs edit with this shell script as the editor; $1 is the file. */
  edit(script: string, env?: Record<string, string>): Promise<MdgResult>;
  config(): Promise<string>;
  /** Starts edit with an editor that stays; resolves when that runs. */
  begin(): Promise<{ child: Deno.ChildProcess; output: Promise<Deno.CommandOutput>; editor_pid: number }>;
  /** What lies in the folder for private folders. */
  leftovers(): string[];
}

async function inScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/run`, { mode: 0o700 });
    await Deno.writeTextFile(`${folder}/c.yaml`, PLAIN);
    for (const args of [["keygen", "-o", "a.key"], ["encrypt", "file", "c.yaml", "-i", "a.key"]]) {
      assert.equal((await runMdg({ args, cwd: folder })).code, 0);
    }
    const args = ["edit", "c.yaml", "-i", "a.key"];
    const env = { EDITOR: `${folder}/editor`, VISUAL: "", XDG_RUNTIME_DIR: `${folder}/run` };
    await body({
      folder,
      edit: async (script, more_env = {}) => {
        await Deno.writeTextFile(`${folder}/editor`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return await runMdg({ args, cwd: folder, env: { ...env, ...more_env } });
      },
      config: () => Deno.readTextFile(`${folder}/c.yaml`),
      begin: async () => {
        const script = `#!/bin/sh\necho $$ > ${folder}/pid\nexec sleep 60\n`;
        await Deno.writeTextFile(`${folder}/editor`, script, { mode: 0o755 });
        const child = spawnMdg({ args, cwd: folder, env });
        await child.stdin.close();
        const output = child.output();
        // While a shell becomes another program its command line is empty for a moment.
        const editor_pid = await until("the editor runs", () => {
          const pid = Number(textIfThere(`${folder}/pid`)) || undefined;
          return pid && textIfThere(`/proc/${pid}/cmdline`).startsWith("sleep") ? pid : undefined;
        });
        return { child, output, editor_pid };
      },
      leftovers: () => [...Deno.readDirSync(`${folder}/run`)].map(({ name }) => name),
    });
  });
}

testUnless(
  unix,
  "the editor sees plain text in a private file; the change is encrypted in place",
  () =>
    inScene(async ({ folder, edit, config, leftovers }) => {
      const before = await config();
      const result = await edit(
        `cp "$1" ${folder}/seen; stat -c '%a %U' "$1" "$(dirname "$1")" > ${folder}/modes; env > ${folder}/env\n` +
          `sed -i 's/first-canary/second-canary/; s/6379/6380/' "$1"`,
        { MDG_PASSPHRASE: "pass-canary", MDG_IDENTITY: "" },
      );
      assert.deepEqual(result, {
        code: 0,
        stdout: "",
        stderr: "c.yaml: 1 value encrypted\n  redis.password\n",
      });
      assert.equal(await Deno.readTextFile(`${folder}/seen`), PLAIN);
      const user = (await Deno.readTextFile(`${folder}/modes`)).trim().split("\n");
      assert.deepEqual(user.map((line) => line.split(" ")[0]), ["600", "700"]);
      assert.doesNotMatch(await Deno.readTextFile(`${folder}/env`), /pass-canary/);
      const after = await config();
      assert.equal(after.replace(/ENC\[.*\]/, ""), before.replace(/ENC\[.*\]/, "").replace("6379", "6380"));
      assert.doesNotMatch(after, /canary/);
      const shown = await runMdg({
        args: ["decrypt", "file", "c.yaml", "-i", "a.key", "-o", "-"],
        cwd: folder,
      });
      assert.match(shown.stdout, /password: second-canary # keep/);
      assert.deepEqual(leftovers(), []);
    }),
);

testUnless(
  unix,
  "no change, a failing editor, a broken edit, no editor: the file is as it was and nothing is left",
  () =>
    inScene(async ({ edit, config, leftovers }) => {
      const before = await config();
      const cases: [string, Record<string, string>, number, RegExp][] = [
        ["true", {}, 0, /^c\.yaml: nothing changed\n$/],
        ["exit 3", {}, 1, /the editor ended with 3, want 0/],
        [`echo 'a: [' >> "$1"`, {}, 2, /c\.yaml:6:\d+: /],
        [`echo '# first-canary' >> "$1"`, {}, 1, /c\.yaml:5:3: a secret in plain text/],
        [`rm "$1"`, {}, 1, /read edited text: /],
        [`printf '\\377' > "$1"`, {}, 2, /not UTF-8/],
        [`printf 'a: "\\0"' > "$1"`, {}, 2, /a binary file/],
        [
          "true",
          { EDITOR: "no-such-editor-anywhere" },
          1,
          /run editor "no-such-editor-anywhere": there is no such program/,
        ],
      ];
      for (const [script, env, code, pattern] of cases) {
        const result = await edit(script, env);
        assert.equal(result.code, code, `${script}: ${result.stderr}`);
        assert.match(result.stderr, pattern);
        assert.doesNotMatch(result.stderr, /canary/);
        assert.equal(await config(), before, script);
        assert.deepEqual(leftovers(), [], script);
      }
    }),
);

testUnless(
  unix,
  "someone else's change meanwhile is not overwritten",
  () =>
    inScene(async ({ folder, edit, config, leftovers }) => {
      const result = await edit(
        `sed -i s/first-canary/second-canary/ "$1"; echo '# theirs' >> ${folder}/c.yaml`,
      );
      assert.equal(result.code, 1);
      assert.match(result.stderr, /changed by someone else while it was edited/);
      assert.match(await config(), /# theirs\n$/);
      assert.deepEqual(leftovers(), []);
    }),
);

for (const [signal, code] of [["SIGTERM", 0], ["SIGHUP", 1]] as const) {
  testUnless(
    unix,
    `${signal} ends the editor and removes the plain text`,
    () =>
      inScene(async ({ begin, leftovers }) => {
        const { child, output, editor_pid } = await begin();
        assert.equal(leftovers().length, 1);
        child.kill(signal);
        assert.equal((await output).code, code);
        assert.deepEqual(leftovers(), []);
        await until("the editor is gone", () => textIfThere(`/proc/${editor_pid}/cmdline`) === "");
      }),
  );
}

testUnless(
  unix,
  "Ctrl-C belongs to the editor; what kill -9 left behind goes with the next edit",
  () =>
    inScene(async ({ begin, edit, leftovers }) => {
      const { child, output, editor_pid } = await begin();
      child.kill("SIGINT");
      child.kill("SIGINT");
      assert.notEqual(textIfThere(`/proc/${editor_pid}/cmdline`), "");
      assert.equal((await edit("true")).code, 0);
      assert.equal(leftovers().length, 1, "another edit leaves the folder of one that runs");
      child.kill("SIGKILL");
      Deno.kill(editor_pid, "SIGKILL");
      await output;
      assert.equal(leftovers().length, 1);
      assert.equal((await edit("true")).code, 0);
      assert.deepEqual(leftovers(), []);
    }),
);

function textIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
