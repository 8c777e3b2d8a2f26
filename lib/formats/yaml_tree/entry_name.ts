/**
 * What the name of a file or folder says: its key, its place in the order, whether it merges into its parent, how its
 * text is read. `NN-` and `NN_` (one to three digits) order and drop, so that years and dates stay keys; `@` merges.
 */
import { type TextFormat, textFormatOf } from "../text_format.ts";

export interface EntryName {
  /** Without prefix, `@` and, for files, the last extension; may be empty only for `@`. */
  key: string;
  merges: boolean;
  /** Infinity without a prefix. */
  order: number;
  /** Undefined for folders. */
  format?: TextFormat | "text";
}

export function readEntryName(name: string, is_folder: boolean, keep_prefixes = false): EntryName {
  const prefix = keep_prefixes ? null : /^(\d{1,3})[-_](?=.)/su.exec(name);
  let key = prefix ? name.slice(prefix[0].length) : name;
  const order = prefix ? Number(prefix[1]) : Infinity;
  const merges = key.startsWith("@");
  if (merges) key = key.slice(1);
  if (is_folder) return { key, merges, order };
  const extension = /(?<=.)\.[^.]*$/su.exec(key)?.[0] ?? "";
  const format = textFormatOf(extension) ?? "text";
  return { key: key.slice(0, key.length - extension.length), merges, order, format };
}

/** Dot-files are no part of a tree. */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}

/** By prefix number, then by name, code unit by code unit. */
export function compareNames(a: string, b: string, keep_prefixes = false): number {
  const [first, second] = [a, b].map((name) => readEntryName(name, true, keep_prefixes).order);
  if (first !== second) return first - second;
  return a < b ? -1 : a > b ? 1 : 0;
}
