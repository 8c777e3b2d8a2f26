/**
 * `mdg edit`: the encrypted values of a config in plain text in the person's editor, encrypted again when it closes. The plain
 * text lies in a private folder, in memory where there is one, and is gone on every way out.
 */
import { quoted, reasonOf, UserError } from "../lib/base/errors.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import { askingWorld, askKey, terminalInput } from "../lib/cli/read_input.ts";
import type { ConfigFile } from "../lib/config/encryption/config_file.ts";
import {
  IDENTITY_FLAGS,
  keySourcesFrom,
  RECIPIENT_FLAGS,
  resealSources,
} from "../lib/config/encryption/key_flags.ts";
import type { Rewritten } from "../lib/config/encryption/file_values.ts";

/** Not for the editor, nor for what it starts. */
const OWN_SECRETS = ["MDG_PASSPHRASE", "MDG_IDENTITY"];

export const edit = defineCommand({
  summary: "Edit a config with its encrypted values in plain text",
  description:
    "Opens VISUAL, else EDITOR, else vi. Values that were encrypted are encrypted again; unchanged ones keep every byte, and " +
    "new ones whose key names a secret are encrypted, too. Recipients of what changed: --recipient, else " +
    "`encryption.recipients` of the config, else the keys that opened it. When the edited text cannot be read, the editor " +
    "is offered again. Swap and backup files of the editor itself are its own affair: those beside the text go with it.",
  arguments: [{ name: "CONFIG", doc: "YAML, JSON5, JSONC or JSON", required: true }],
  flags: {
    ...RECIPIENT_FLAGS,
    ...IDENTITY_FLAGS,
    keys: {
      type: "list",
      short: "k",
      value: "PATH",
      doc: "open only these values; * stands for any key, [*] for any index",
    },
  },
  examples: [{ command: "EDITOR='code --wait' mdg edit mdg.yaml -i mdg.key", doc: "then save and close" }],
  permissions: ["run"],
  async run(world, flags, [path]) {
    const [
      { decrypterFrom, encrypterFrom },
      { openConfig },
      { KeySelection },
      { openConfigFile, writeConfigFile },
    ] = await Promise.all([
      import("../lib/config/encryption/key_ring.ts"),
      import("../lib/config/encryption/edit_values.ts"),
      import("../lib/config/encryption/key_selection.ts"),
      import("../lib/config/encryption/config_file.ts"),
    ]);
    const config = await openConfigFile(path, world.cwd);
    const opening = { ...flags, recipient: [], "recipients-file": [] };
    const keys = askingWorld(world);
    const sources = await keySourcesFrom(opening, config.own_keys, keys);
    const decrypter = await decrypterFrom(sources, keys);
    // before the editor: what is missing should not cost an edit
    const encrypter = await encrypterFrom(resealSources(flags, config.own_keys, sources), keys);
    const selection = flags.keys?.length ? new KeySelection(flags.keys) : undefined;
    const opened = await openConfig(config, selection, decrypter);
    const [unmatched] = selection?.unmatched ?? [];
    if (unmatched !== undefined) {
      throw new UserError(
        `edit ${quoted(path, 200)}: nothing encrypted at key ${
          quoted(unmatched)
        }, want a path of an encrypted value`,
        { code: 2 },
      );
    }
    const { closeConfig } = await import("../lib/config/encryption/edit_values.ts");
    const { SourceText } = await import("../lib/formats/source_text.ts");
    const rewritten = await inEditor(world, config, opened.text, (text) => {
      const edited = { source: new SourceText(config.source.name, text), format: config.format };
      return closeConfig(edited, opened, { encrypter, decrypter });
    });
    if (rewritten === undefined || rewritten.text === config.source.text) {
      world.stderr(`${path}: nothing changed\n`);
      return 0;
    }
    const now = await openConfigFile(path, world.cwd);
    if (now.source.text !== config.source.text) {
      throw new UserError(
        `write ${quoted(path, 200)}: changed by someone else while it was edited, left as it is`,
      );
    }
    await writeConfigFile(config, rewritten, "encrypted", { ...world, output: undefined });
    return 0;
  },
});

/** Edits until `close` takes the text, or the person gives up; undefined when nothing was changed. */
async function inEditor(
  world: World,
  config: ConfigFile,
  text: string,
  close: (text: string) => Promise<Rewritten>,
): Promise<Rewritten | undefined> {
  const { privateFolder } = await import("../lib/os/private_folder.ts");
  using folder = privateFolder("mdg-edit-", world.env.XDG_RUNTIME_DIR);
  if (!folder.is_in_memory) {
    world.stderr("warning: no place in memory: the plain text is on disk while you edit\n");
  }
  const path = `${folder.path}/config${/\.[^./\\]+$/.exec(config.path)?.[0] ?? ""}`;
  await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  for (;;) {
    await editOnce(world, path);
    try {
      const edited = await readEdited(config.source.name, path);
      return edited === text ? undefined : await close(edited);
    } catch (error) {
      if (!(error instanceof UserError) || !terminalInput.is_terminal) throw error;
      world.stderr(`${error.message}\n`);
      const question = "Edit again (e), or quit and leave the file as it was (q)? ";
      if (await askKey(question, ["e", "q"], world) === "q") return undefined;
    }
  }
}

async function editOnce(world: World, path: string): Promise<void> {
  const { runEditor } = await import("../lib/os/run_editor.ts");
  const command = world.env.VISUAL || world.env.EDITOR || "vi";
  const env = Object.fromEntries(
    Object.entries(world.env).filter((entry): entry is [string, string] =>
      entry[1] !== undefined && !OWN_SECRETS.includes(entry[0])
    ),
  );
  const hangup = new AbortController();
  const stopListening = world.onReload(() =>
    hangup.abort(new UserError("edit: the terminal is gone, the file is as it was"))
  );
  const takeBack = world.lendTerminal();
  try {
    const signal = AbortSignal.any([world.signal, hangup.signal]);
    const code = await runEditor({ command, path, env, signal, clock: world.clock });
    if (code !== 0) throw new UserError(`edit: the editor ended with ${code}, want 0; the file is as it was`);
  } finally {
    takeBack();
    stopListening();
  }
}

/** By the rules of a config file, so that nothing is written that could not be read again. */
async function readEdited(name: string, path: string): Promise<string> {
  const { decode, MAX_BYTES } = await import("../lib/config/read_source.ts");
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new UserError(`read edited text: ${reasonOf(error)}`);
  }
  if (bytes.length > MAX_BYTES) {
    throw new UserError(`read edited text: larger than ${MAX_BYTES} bytes, want less`);
  }
  return decode(name, bytes).text;
}
