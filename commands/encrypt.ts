/**
 * `mdg encrypt secret` prints a value to paste into a config; `mdg encrypt file` encrypts values where they stand. The age
 * format, so the `age` program reads the result. A secret in argv works, with a warning: others see it in `ps`.
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../lib/base/errors.ts";
import { knownSecrets } from "../lib/base/known_secrets.ts";
import { defineCommand, defineGroup, type World } from "../lib/cli/command.ts";
import { askHidden, askingWorld, readAll, terminalInput } from "../lib/cli/read_input.ts";
import { IDENTITY_FLAGS, keySourcesFrom, RECIPIENT_FLAGS } from "../lib/config/encryption/key_flags.ts";

const MAX_VALUE_BYTES = 256 * 1024;

const secret = defineCommand({
  summary: "Encrypt one value and print it as ENC[age,…] for a config",
  description:
    "The value is asked for without echo on a terminal, else read from stdin or --value-file. One line end " +
    "at its end is dropped. With --key the result works at that place of a config only.",
  arguments: [{ name: "VALUE", doc: "the value; avoid: others see it in the process list" }],
  flags: {
    ...RECIPIENT_FLAGS,
    ...IDENTITY_FLAGS,
    key: {
      type: "text",
      short: "k",
      value: "PATH",
      doc: "bind to this place: redis.password or /sinks/0/password",
    },
    "value-file": { type: "text", value: "FILE", doc: "read the value from this file" },
    "keep-newline": { type: "boolean", doc: "keep a line end at the end of the value" },
    armor: { type: "boolean", short: "a", doc: "print a plain armored age file instead of a config value" },
  },
  examples: [
    {
      command: "mdg encrypt secret -i mdg.key -k 'sinks[0].password'",
      doc: "asks for the value, prints ENC[age,…]",
    },
    { command: "pass show redis | mdg encrypt secret -r age1…", doc: "value from a pipe" },
  ],
  async run(world, flags, [argument]) {
    const [{ armor }, { encrypterFrom }, { seal }, { pointerOf }] = await Promise.all([
      import("age-encryption"),
      import("../lib/config/encryption/key_ring.ts"),
      import("../lib/formats/encrypted_value/token.ts"),
      import("../lib/config/encryption/key_selection.ts"),
    ]);
    const path = flags.key === undefined ? undefined : pointerOf(flags.key);
    const keys = askingWorld(world);
    const sources = await keySourcesFrom(flags, {}, keys);
    const encrypter = await encrypterFrom(sources, keys);
    const given = await valueFrom(world, argument, flags["value-file"]);
    const value = flags["keep-newline"] ? given : given.replace(/\r?\n$/, "");
    knownSecrets.add(value);
    const dropped = value === given ? "" : ", line end dropped";
    world.stderr(`${new TextEncoder().encode(value).length} bytes${dropped}\n`);
    if (flags.armor) {
      await world.stdout(armor.encode(await encrypter.encrypt(value)).replace(/\n?$/, "\n"));
      return 0;
    }
    await world.stdout(await seal({ value, path }, encrypter) + "\n");
    if (path === undefined) world.stderr("not bound to a place: --key PATH binds it\n");
    return 0;
  },
});

async function valueFrom(
  world: World,
  argument: string | undefined,
  file: string | undefined,
): Promise<string> {
  if (argument !== undefined && file !== undefined) {
    throw new UserError("encrypt: a value and --value-file are given, want one of them", { code: 2 });
  }
  if (argument !== undefined) {
    knownSecrets.add(argument);
    world.stderr(
      "warning: a secret in the arguments is seen by others (ps, shell history): pipe it or let it be asked\n",
    );
    return argument;
  }
  if (file === undefined && terminalInput.is_terminal) {
    return await askHidden("Secret (not shown): ", world);
  }
  const bytes = file === undefined
    ? await readAll(world.stdin, MAX_VALUE_BYTES)
    : await readValueFile(isAbsolute(file) ? file : join(world.cwd, file));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UserError("encrypt: the value is not UTF-8 text, want text");
  }
}

async function readValueFile(path: string): Promise<Uint8Array> {
  try {
    const file = await Deno.open(path, { read: true });
    return await readAll(file.readable, MAX_VALUE_BYTES, quoted(path));
  } catch (error) {
    throw error instanceof UserError
      ? error
      : new UserError(`read value ${quoted(path)}: ${reasonOf(error)}`);
  }
}

const file = defineCommand({
  summary: "Encrypt values of a config where they stand; every other byte stays",
  description:
    "Without --keys: values whose key names a secret (password, token …). Each value is bound to its path. " +
    "Recipients come from the flags, the environment, or `encryption.recipients` of the config.",
  arguments: [{ name: "CONFIG", doc: "YAML, JSON5, JSONC or JSON", required: true }],
  flags: {
    ...RECIPIENT_FLAGS,
    ...IDENTITY_FLAGS,
    keys: {
      type: "list",
      short: "k",
      value: "PATH",
      doc: "values to encrypt; * stands for any key, [*] for any index",
    },
    output: { type: "text", short: "o", value: "FILE", doc: "write here instead; - is stdout" },
  },
  examples: [{ command: "mdg encrypt file mdg.yaml -r age1… --keys 'sinks[*].password'", doc: "in place" }],
  async run(world, flags, [path]) {
    const [{ encrypterFrom }, { encryptValues }, { KeySelection }, { openConfigFile, writeConfigFile }] =
      await Promise
        .all([
          import("../lib/config/encryption/key_ring.ts"),
          import("../lib/config/encryption/file_values.ts"),
          import("../lib/config/encryption/key_selection.ts"),
          import("../lib/config/encryption/config_file.ts"),
        ]);
    const config = await openConfigFile(path, world.cwd);
    const keys = askingWorld(world);
    const sources = await keySourcesFrom(flags, config.own_keys, keys);
    const rewritten = await encryptValues(
      config,
      new KeySelection(flags.keys ?? []),
      await encrypterFrom(sources, keys),
    );
    await writeConfigFile(config, rewritten, "encrypted", { ...world, output: flags.output });
    if (sources.passphrase !== undefined && rewritten.changed.length > 1) {
      world.stderr("each value takes a second to open: a key of `mdg keygen -p` asks once for all\n");
    }
    return 0;
  },
});

export const encrypt = defineGroup("Encrypt secrets for configs, in the age format", { secret, file });
