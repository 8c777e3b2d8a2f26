/**
 * Input of the text tools: a file or, as "-", stdin; strict UTF-8 without a byte order mark, up to a written size.
 * The dialect of the JSON family goes by extension. Refuses: guessing encodings, directories.
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { Dialect } from "../../formats/json5/lexer.ts";
import { SourceText } from "../../formats/source_text.ts";
import type { World } from "../command.ts";

/** What a JavaScript string can hold, with room to spare. */
export const MAX_TEXT_BYTES = 500 * 1024 * 1024;

/** `path` as the user gave it, "-" for stdin; it is what errors call the text. */
export async function readText(world: Pick<World, "cwd" | "stdin">, path: string): Promise<SourceText> {
  const name = path === "-" ? "<stdin>" : path;
  const bytes = path === "-" ? await readStream(world.stdin) : await readFile(world.cwd, path);
  const refuse = (reason: string): never => {
    throw new UserError(`read ${quoted(name, 200)}: ${reason}`);
  };
  if (bytes.length > MAX_TEXT_BYTES) refuse(`larger than ${MAX_TEXT_BYTES} bytes, want less`);
  if ((bytes[0] === 0xFF && bytes[1] === 0xFE) || (bytes[0] === 0xFE && bytes[1] === 0xFF)) {
    refuse("encoded as UTF-16, want UTF-8");
  }
  try {
    return new SourceText(name, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return refuse(`not UTF-8 text at ${placeOfBadByte(name, bytes)}, want UTF-8`);
  }
}

/** .json and .jsonc name their dialect; everything else is JSON5, which contains both. */
export function dialectOf(path: string): Dialect {
  if (/\.json$/i.test(path)) return "json";
  return /\.jsonc$/i.test(path) ? "jsonc" : "json5";
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
    return await readStream(file.readable);
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

/** Replaces what cannot be decoded and finds the first replacement that the bytes do not hold themselves. */
function placeOfBadByte(name: string, bytes: Uint8Array): string {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  const readable = new TextDecoder().decode(bytes.subarray(0, good), { stream: true });
  const { line, column } = new SourceText(name, readable).positionAt(readable.length);
  return `${line}:${column}`;
}
