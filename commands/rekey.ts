/** `mdg rekey`: the encrypted values of a config for other recipients, without a plain text in between on disk. */
import { defineCommand } from "../lib/cli/command.ts";
import { askingWorld } from "../lib/cli/read_input.ts";
import {
  IDENTITY_FLAGS,
  keySourcesFrom,
  RECIPIENT_FLAGS,
  resealSources,
} from "../lib/config/encryption/key_flags.ts";

export const rekey = defineCommand({
  summary: "Encrypt the encrypted values of a config anew, for other recipients",
  description:
    "Opens with --identity or a passphrase; closes for --recipient, else `encryption.recipients` of the " +
    "config, else the same identity. Values that were bound to no place are bound to where they stand.",
  arguments: [{ name: "CONFIG", doc: "YAML, JSON5, JSONC or JSON", required: true }],
  flags: {
    ...RECIPIENT_FLAGS,
    ...IDENTITY_FLAGS,
    output: { type: "text", short: "o", value: "FILE", doc: "write here instead; - is stdout" },
  },
  examples: [{ command: "mdg rekey mdg.yaml -i old.key -r age1…", doc: "after a key changed hands" }],
  async run(world, flags, [path]) {
    const [{ decrypterFrom, encrypterFrom }, { rekeyValues }, { openConfigFile, writeConfigFile }] =
      await Promise.all([
        import("../lib/config/encryption/key_ring.ts"),
        import("../lib/config/encryption/file_values.ts"),
        import("../lib/config/encryption/config_file.ts"),
      ]);
    const config = await openConfigFile(path, world.cwd);
    const opening = { ...flags, recipient: [], "recipients-file": [] };
    const keys = askingWorld(world);
    const sources = await keySourcesFrom(opening, config.own_keys, keys);
    const targets = resealSources(flags, config.own_keys, sources);
    const rewritten = await rekeyValues(
      config,
      await decrypterFrom(sources, keys),
      await encrypterFrom(targets, keys),
    );
    await writeConfigFile(config, rewritten, "encrypted anew", { ...world, output: flags.output });
    return 0;
  },
});
