/**
 * `mdg version`: what exactly is running here, for bug reports and for scripts that ask before they use a feature.
 */
import { defineCommand } from "../lib/cli/command.ts";

export const version = defineCommand({
  summary: "Print the version of mdg and of what it runs on",
  flags: {
    json: { type: "boolean", doc: "print one JSON object" },
  },
  examples: [
    { command: "mdg version", doc: "for a person" },
    { command: "mdg version --json", doc: "for a program" },
  ],
  async run(world, flags) {
    const facts = {
      name: "mdg",
      version: world.version,
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      target: Deno.build.target,
      compiled: Deno.build.standalone,
    };
    const text = flags.json
      ? JSON.stringify(facts)
      : `mdg ${facts.version} (Deno ${facts.deno}, ${facts.target}${facts.compiled ? ", compiled" : ""})`;
    await world.stdout(text + "\n");
    return 0;
  },
});
