/** One config file as the encrypting commands handle it: read, its own keys found, and written back whole or not at all. */
import { isAbsolute, join } from "node:path";
import { quoted, UserError } from "../../base/errors.ts";
import { writeWholeFile } from "../../os/write_whole_file.ts";
import { locateConfig } from "../locate.ts";
import { pathText } from "../problem.ts";
import { formatOf, MAX_BYTES, readSource } from "../read_source.ts";
import type { ConfigText, Rewritten } from "./file_values.ts";
import type { KeySources } from "./key_ring.ts";
import { keySourcesOf } from "./key_sources_of.ts";

export interface ConfigFile extends ConfigText {
  path: string;
  own_keys: KeySources;
  has_mark: boolean;
}

export async function openConfigFile(path: string, cwd: string): Promise<ConfigFile> {
  const format = formatOf(path);
  const source = await readSource(path, cwd);
  const own_keys = keySourcesOf(locateConfig(source, format), path);
  const full = isAbsolute(path) ? path : join(cwd, path);
  // the reader drops a byte order mark; the writer must give it back
  using file = await Deno.open(full, { read: true });
  const head = new Uint8Array(3);
  await file.read(head);
  return { path: full, source, format, own_keys, has_mark: head[0] === 0xEF && head[1] === 0xBB };
}

export interface WriteChoice {
  /** "-" is stdout; absent: the file itself. */
  output?: string;
  cwd: string;
  stdout(text: string): Promise<void>;
  stderr(text: string): void;
}

/** Writes the new text and says what changed, never to what. */
export async function writeConfigFile(
  file: ConfigFile,
  { text, changed }: Rewritten,
  verb: string,
  choice: WriteChoice,
): Promise<void> {
  const content = (file.has_mark ? "\uFEFF" : "") + text;
  if (content.length > MAX_BYTES) {
    throw new UserError(`write ${quoted(file.source.name)}: larger than ${MAX_BYTES} bytes, want less`);
  }
  const { output } = choice;
  if (output === "-") await choice.stdout(content);
  else {
    const target = output === undefined ? file.path : isAbsolute(output) ? output : join(choice.cwd, output);
    const is_same = output === undefined && text === file.source.text;
    if (!is_same) await writeWholeFile(target, content, { mode: 0o600 });
  }
  const values = changed.length === 1 ? "1 value" : `${changed.length} values`;
  choice.stderr(`${file.source.name}: ${values} ${verb}\n`);
  for (const path of changed) choice.stderr(`  ${pathText(path)}\n`);
}
