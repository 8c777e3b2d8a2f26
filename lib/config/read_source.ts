/**
 * A config file as text, or one clear sentence why not: missing, a directory, too large, not UTF-8. Reads regular files
 * only (a pipe might never end) and at most `MAX_BYTES`, whatever the file's stated size. The format is told by the extension.
 */
import { isAbsolute, join } from "node:path";
import { quoted, UserError } from "../base/errors.ts";
import type { SourceText } from "../formats/source_text.ts";
import { extensionOf, type TextFormat, textFormatOf } from "../formats/text_format.ts";
import { decodeUtf8 } from "../formats/utf8_text.ts";

export type ConfigFormat = TextFormat;

export const MAX_BYTES = 4 * 1024 * 1024;

/** By extension, in any case; a UserError when it is none that a config may have. */
export function formatOf(path: string): ConfigFormat {
  const format = textFormatOf(path);
  if (format) return format;
  const extension = extensionOf(path);
  const found = extension ? `extension ${quoted(extension)}` : "no extension";
  throw new UserError(
    `read config ${quoted(path, 200)}: ${found}, want .yaml, .yml, .json5, .jsonc or .json`,
    {
      code: 2,
    },
  );
}

/** Reads the file; `path` is relative to `cwd` and is what errors call it. */
export async function readSource(path: string, cwd: string): Promise<SourceText> {
  const fail = (reason: string, hint?: string): never => {
    throw new UserError(`read config ${quoted(path, 200)}: ${reason}`, { code: 2, hint });
  };
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(isAbsolute(path) ? path : join(cwd, path), fail);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return fail("there is no such file", `paths are taken from ${quoted(cwd, 200)}`);
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      return fail("permission denied, want a readable file");
    }
    if (error instanceof Deno.errors.NotADirectory) {
      return fail("a part of the path is a file, want a directory");
    }
    throw error;
  }
  if (bytes.length > MAX_BYTES) fail(`larger than ${MAX_BYTES} bytes, want less`);
  return decode(path, bytes);
}

async function readBounded(path: string, fail: (reason: string) => never): Promise<Uint8Array> {
  const info = await Deno.stat(path);
  if (info.isDirectory) fail("a directory, want a file");
  if (!info.isFile) fail("a pipe or device, want a regular file");
  using file = await Deno.open(path, { read: true });
  const bytes = new Uint8Array(Math.min(info.size, MAX_BYTES) + 1);
  let filled = 0;
  while (filled < bytes.length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Strict UTF-8; a byte order mark is dropped, NUL bytes mean that this is no text. */
export function decode(name: string, bytes: Uint8Array): SourceText {
  const refusal = (reason: string) =>
    new UserError(`read config ${quoted(name, 200)}: ${reason}`, { code: 2 });
  const source = decodeUtf8(name, bytes, refusal);
  if (source.text.includes("\0")) throw refusal("a binary file, want UTF-8 text");
  return source;
}
