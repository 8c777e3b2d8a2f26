/**
 * `mdg keygen`: an age key pair, in the words of `age-keygen`, so that either program reads the other's files. With a
 * passphrase the file is closed by it: one key for all values of a config, and one slow derivation to open it, where values
 * that are each encrypted by a passphrase cost one each (age ties the derivation to the file, on purpose).
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../lib/base/errors.ts";
import { knownSecrets } from "../lib/base/known_secrets.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import { asker } from "../lib/cli/read_input.ts";

export const keygen = defineCommand({
  summary: "Make an age key pair for encrypted config values",
  description:
    "The identity (secret) goes to stdout or to a new file with mode 0600, the recipient (public) to stderr. An existing " +
    "file is never replaced. Files are those of age-keygen; with --passphrase, as `age -p` would close them.",
  flags: {
    output: { type: "text", short: "o", value: "FILE", doc: "write the identity to this new file" },
    passphrase: {
      type: "boolean",
      short: "p",
      doc: "close the identity by a passphrase: MDG_PASSPHRASE, else asked for twice",
    },
  },
  examples: [
    { command: "mdg keygen -o mdg.key", doc: "then: mdg encrypt secret --identity mdg.key" },
    { command: "mdg keygen -p -o mdg.key.age", doc: "a file that is of no use without its passphrase" },
  ],
  async run(world, flags) {
    const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
    const identity = await generateX25519Identity();
    knownSecrets.add(identity);
    const recipient = await identityToRecipient(identity);
    const created = new Date(world.clock.now_ms()).toISOString();
    const plain = `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
    const text = flags.passphrase ? await closed(plain, await newPassphrase(world)) : plain;
    if (flags.output === undefined) await world.stdout(text);
    else await writeNew(isAbsolute(flags.output) ? flags.output : join(world.cwd, flags.output), text);
    world.stderr(`Public key: ${recipient}\n`);
    return 0;
  },
});

async function newPassphrase(world: World): Promise<string> {
  const given = world.env.MDG_PASSPHRASE;
  if (given) return given;
  const ask = asker(world);
  const typed = await ask?.("Passphrase: ");
  if (!typed) {
    throw new UserError("read passphrase: none given, want MDG_PASSPHRASE or a terminal to ask on", {
      code: 2,
    });
  }
  if (await ask?.("Again: ") !== typed) {
    throw new UserError("read passphrase: the two differ, want the same twice");
  }
  return typed;
}

/** An armored age file. */
async function closed(text: string, passphrase: string): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption");
  knownSecrets.add(passphrase);
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(text)).replace(/\n?$/, "\n");
}

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
