/** `mdg keygen`: an age key pair, in the words of `age-keygen`, so that either program reads the other's files. */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";

export const keygen = defineCommand({
  summary: "Make an age key pair for encrypted config values",
  description:
    "The identity (secret) goes to stdout or to a new file with mode 0600, the recipient (public) to stderr. An existing " +
    "file is never replaced. Files are those of age-keygen.",
  flags: { output: { type: "text", short: "o", value: "FILE", doc: "write the identity to this new file" } },
  examples: [{ command: "mdg keygen -o mdg.key", doc: "then: mdg encrypt secret --identity mdg.key" }],
  async run(world, flags) {
    const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const created = new Date(world.clock.now_ms()).toISOString();
    const text = `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
    if (flags.output === undefined) await world.stdout(text);
    else await writeNew(isAbsolute(flags.output) ? flags.output : join(world.cwd, flags.output), text);
    world.stderr(`Public key: ${recipient}\n`);
    return 0;
  },
});

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  } catch (error) {
    const reason = error instanceof Deno.errors.AlreadyExists
      ? "it exists, want a new file"
      : reasonOf(error);
    throw new UserError(`write identity ${quoted(path)}: ${reason}`);
  }
}
