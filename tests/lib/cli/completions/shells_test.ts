/**
 * The scripts in the shells themselves: what is offered after which words. A shell that is not installed is skipped.
 */
import assert from "node:assert/strict";
import { defineCommand, defineGroup, type Registry } from "../../../../lib/cli/command.ts";
import { completionModel } from "../../../../lib/cli/completions/model.ts";
import * as shells from "../../../../lib/cli/completions/registry.ts";
import { findProgram } from "../../../../scripts/debian.ts";
import { testUnless } from "../../../services.ts";

const run = () => Promise.resolve(0 as const);
const start = defineCommand({
  summary: "Start it, don't stop",
  arguments: [],
  flags: {
    config: { type: "text", value: "FILE", short: "c", doc: "the config: a file" },
    mode: { type: "text", value: "MODE", doc: "how", choices: ["fast", "slow"] },
    port: { type: "number", value: "PORT", doc: "where" },
  },
  examples: [],
  run,
});
const bare = defineCommand({
  summary: "Keep it up",
  arguments: [{ name: "FILE", doc: "what", required: true }],
  flags: {},
  examples: [],
  run,
});
const registry: Registry = {
  "run": start,
  config: defineGroup("Config", { check: start, show: start }),
  keep: defineGroup("Keep", { status: start }, { bare }),
};
const model = completionModel("mdg", registry);

/** Typed words (the last one unfinished) → what must be among the offers, what must not. */
const TABLE: { typed: string[]; offers: string[]; hides: string[] }[] = [
  { typed: ["mdg", ""], offers: ["run", "config"], hides: ["check", "fast"] },
  { typed: ["mdg", "config", ""], offers: ["check", "show"], hides: ["run"] },
  { typed: ["mdg", "keep", ""], offers: ["status", "a_file.yaml"], hides: ["check"] },
  { typed: ["mdg", "run", "--"], offers: ["--config", "--mode", "--log-level"], hides: ["--version"] },
  { typed: ["mdg", "config", "check", "--"], offers: ["--port"], hides: ["run"] },
  { typed: ["mdg", "run", "--mode", ""], offers: ["fast", "slow"], hides: ["--config"] },
  { typed: ["mdg", "run", "--log-level", ""], offers: ["debug", "warn"], hides: ["fast"] },
  { typed: ["mdg", "run", "--config", ""], offers: ["a_file.yaml"], hides: ["--mode"] },
];

const quote = (word: string) => `'${word}'`;

/** How each shell is asked, without a terminal. Prints what it would offer. */
const ASK: Record<keyof typeof shells, (typed: readonly string[]) => string> = {
  bash: (typed) =>
    `source ./script; COMP_WORDS=(${typed.map(quote).join(" ")}); COMP_CWORD=${typed.length - 1}; ` +
    `_mdg; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // zsh's completion system needs a terminal: its builtins are stood in for by functions that print
  zsh: (typed) =>
    `compdef() { }; _files() { print -l *(N) }; ` +
    `_describe() { local name=\${@[-1]}; print -l -- \${(P)name%%:*} }; ` +
    `source ./script; words=(${typed.map(quote).join(" ")}); CURRENT=${typed.length}; _mdg`,
  fish: (typed) => `source ./script; complete -C ${quote(typed.join(" "))}`,
};

for (const [name, shell] of Object.entries(shells)) {
  const program = await findProgram(name);
  testUnless(program ? undefined : `no ${name}`, `completions in ${name}`, async (context) => {
    const cwd = await Deno.makeTempDir({ prefix: "mdg-completions-" });
    try {
      await Deno.writeTextFile(`${cwd}/script`, shell.script(model));
      await Deno.writeTextFile(`${cwd}/a_file.yaml`, "");
      for (const { typed, offers, hides } of TABLE) {
        await context.step(typed.join(" "), async () => {
          const { code, stdout, stderr } = await new Deno.Command(program!, {
            args: ["-c", ASK[name as keyof typeof shells](typed)],
            cwd,
            env: { HOME: cwd },
          }).output();
          const offered = new TextDecoder().decode(stdout).split("\n").map((line) => line.split("\t")[0]);
          assert.deepEqual([new TextDecoder().decode(stderr), code], ["", 0]);
          for (const word of offers) assert.ok(offered.includes(word), `offers ${word}: ${offered}`);
          for (const word of hides) assert.ok(!offered.includes(word), `hides ${word}: ${offered}`);
        });
      }
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  });
}
