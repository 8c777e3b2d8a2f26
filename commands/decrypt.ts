/** `mdg decrypt`: one value, or every value of a config where it stands. Also reads what the `age` program made. */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand, defineGroup } from "../lib/cli/command.ts";
import { askingWorld, readAll } from "../lib/cli/read_input.ts";
import { IDENTITY_FLAGS, keySourcesFrom } from "../lib/config/encryption/key_flags.ts";

const MAX_INPUT_BYTES = 1024 * 1024;
const ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----";

const secret = defineCommand({
  summary: "Decrypt one ENC[age,…] value, or an age file, from stdin",
  description:
    "Prints exactly the value, without a line end of its own. The input is no secret: it may be an argument.",
  arguments: [{
    name: "TOKEN",
    doc: "ENC[age,…]; absent: stdin, which may also be an age file, armored or binary",
  }],
  flags: { ...IDENTITY_FLAGS },
  examples: [{ command: "mdg decrypt secret -i mdg.key 'ENC[age,…]'", doc: "prints the value" }],
  async run(world, flags, [token]) {
    const [{ armor }, { decrypterFrom }, { isEncrypted, open, openAge }] = await Promise.all([
      import("age-encryption"),
      import("../lib/config/encryption/key_ring.ts"),
      import("../lib/formats/encrypted_value/token.ts"),
    ]);
    const keys = askingWorld(world);
    const sources = await keySourcesFrom(flags, {}, keys);
    const decrypter = await decrypterFrom(sources, keys);
    const bytes = token === undefined
      ? await readAll(world.stdin, MAX_INPUT_BYTES)
      : new TextEncoder().encode(token);
    const text = new TextDecoder().decode(bytes);
    try {
      if (isEncrypted(text as unknown)) {
        const { value } = await open(text, decrypter);
        await world.stdout(String(value));
      } else {
        await world.stdout(
          await openAge(text.trimStart().startsWith(ARMOR) ? decoded(text) : bytes, decrypter),
        );
      }
    } catch (error) {
      throw error instanceof UserError ? new UserError(`decrypt secret: ${error.message}`) : error;
    }
    return 0;

    function decoded(armored: string): Uint8Array {
      try {
        return armor.decode(armored);
      } catch {
        throw new UserError("damaged: the armor cannot be read, want an age file");
      }
    }
  },
});

const file = defineCommand({
  summary: "Decrypt the encrypted values of a config where they stand; every other byte stays",
  arguments: [{ name: "CONFIG", doc: "YAML, JSON5, JSONC or JSON", required: true }],
  flags: {
    ...IDENTITY_FLAGS,
    keys: {
      type: "list",
      short: "k",
      value: "PATH",
      doc: "only these values; * stands for any key, [*] for any index",
    },
    output: { type: "text", short: "o", value: "FILE", doc: "write here instead, mode 0600; - is stdout" },
  },
  examples: [{ command: "mdg decrypt file mdg.yaml -i mdg.key -o -", doc: "look at it, write nothing" }],
  async run(world, flags, [path]) {
    const [{ decrypterFrom }, { decryptValues }, { KeySelection }, { openConfigFile, writeConfigFile }] =
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
    const selection = flags.keys?.length ? new KeySelection(flags.keys) : undefined;
    const rewritten = await decryptValues(config, selection, await decrypterFrom(sources, keys));
    await writeConfigFile(config, rewritten, "decrypted", { ...world, output: flags.output });
    return 0;
  },
});

export const decrypt = defineGroup("Decrypt secrets of configs and age files", { secret, file });
