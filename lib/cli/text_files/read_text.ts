/**
 * Input of the text tools: a file or, as "-", stdin; strict UTF-8 without a byte order mark, up to a written size.
 * The dialect of the JSON family goes by extension. Refuses: guessing encodings, directories.
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { Dialect } from "../../formats/json5/lexer.ts";
import type { SourceText } from "../../formats/source_text.ts";
import { textFormatOf } from "../../formats/text_format.ts";
import { decodeUtf8 } from "../../formats/utf8_text.ts";
import type { World } from "../command.ts";

/** What a JavaScript string can hold, with room to spare. */
export const MAX_TEXT_BYTES = 500 * 1024 * 1024;

/** `path` as the user gave it, "-" for stdin; it is what errors call the text. */
export async function readText(world: Pick<World, "cwd" | "stdin">, path: string): Promise<SourceText> {
  const name = path === "-" ? "<stdin>" : path;
  return decodeText(name, await readBytes(world, path));
}

/** At most MAX_TEXT_BYTES. */
export async function readBytes(world: Pick<World, "cwd" | "stdin">, path: string): Promise<Uint8Array> {
  if (path !== "-") return await readFile(world.cwd, path);
  const bytes = await readStream(world.stdin);
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new UserError(`read "<stdin>": larger than ${MAX_TEXT_BYTES} bytes, want less`);
  }
  return bytes;
}

/** `name` is what errors call the text. */
export function decodeText(name: string, bytes: Uint8Array): SourceText {
  return decodeUtf8(name, bytes, (reason) => new UserError(`read ${quoted(name, 200)}: ${reason}`));
}

/** .json and .jsonc name their dialect; everything else is JSON5, which contains both. */
export function dialectOf(path: string): Dialect {
  const format = textFormatOf(path);
  return format === "json" || format === "jsonc" ? format : "json5";
}

export function absolutePath(cwd: string, path: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}

async function readFile(cwd: string, path: string): Promise<Uint8Array> {
  const refuse = (reason: string, hint?: string): never => {
    throw new UserError(`read ${quoted(path, 200)}: ${reason}`, { hint });
  };
  const absolute = absolutePath(cwd, path);
  try {
    const info = await Deno.stat(absolute);
    if (info.isDirectory) return refuse("a directory, want a file");
    if (info.size > MAX_TEXT_BYTES) return refuse(`larger than ${MAX_TEXT_BYTES} bytes, want less`);
    if (info.isFile) return await Deno.readFile(absolute);
    using file = await Deno.open(absolute);
    const bytes = await readStream(file.readable);
    return bytes.length > MAX_TEXT_BYTES ? refuse(`larger than ${MAX_TEXT_BYTES} bytes, want less`) : bytes;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      return refuse("there is no such file", `paths are taken from ${quoted(cwd, 200)}`);
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      return refuse("permission denied, want a readable file");
    }
    return refuse(reasonOf(error));
  }
}

async function readStream(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_TEXT_BYTES) break;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
