/**
 * One place in a document, in the notations people use: JSON Pointer (RFC 6901), normalized JSONPath (RFC 9535 §2.7),
 * jq, gron. Reads the first three back. Refuses: JSONPath selectors that may match several places.
 */
import { quoted, UserError } from "../../base/errors.ts";

export type Path = readonly (string | number)[];

export function pointerOf(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

export function jsonPathOf(path: Path): string {
  return "$" +
    path.map((step) => (typeof step === "number" ? `[${step}]` : `['${singleQuoted(step)}']`)).join("");
}

export function jqOf(path: Path): string {
  if (path.length === 0) return ".";
  const text = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }).join("");
  return text.startsWith("[") ? `.${text}` : text;
}

export function gronOf(path: Path): string {
  return "json" + path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }).join("");
}

/** RFC 9535 normal-single-quoted: short escapes, then \u00xx for other controls. */
function singleQuoted(name: string): string {
  return JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
}

/**
 * Reads "/a/0", "$['a'][0]", "$.a[0]", ".a[0]" or "json.a[0]". In a pointer every step is a text, which the resolver
 * takes as an index where it meets a sequence. Throws a UserError (exit 2) that names the place of the fault.
 */
export function readPath(text: string): Path {
  if (text === "" || text.startsWith("/")) return readPointer(text);
  const root = /^(?:\$|json(?=[.[]|$)|(?=\.))/.exec(text);
  if (!root) throw wrong(text, 0, 'want "/…" (pointer), "$…" (JSONPath) or "." (jq)');
  if (text === ".") return [];
  return readSteps(text, root[0].length);
}

function readPointer(text: string): Path {
  return text.split("/").slice(1).map((step) => {
    if (/~(?![01])/.test(step)) throw wrong(text, text.indexOf(step), '"~" stands only in ~0 and ~1');
    return step.replaceAll("~1", "/").replaceAll("~0", "~");
  });
}

const STEP =
  /\.?\[(-?\d+)\]|\.?\[("(?:[^"\\]|\\.)*")\]|\.?\[('(?:[^'\\]|\\.)*')\]|\.([\p{L}_$][\p{L}\p{N}_$-]*)|\.("(?:[^"\\]|\\.)*")/uy;

function readSteps(text: string, from: number): Path {
  const path: (string | number)[] = [];
  STEP.lastIndex = from;
  for (let at = from; at < text.length; at = STEP.lastIndex) {
    const found = STEP.exec(text);
    if (!found) throw wrong(text, at, 'want ".name", "[0]" or "[\'name\']", one place only');
    const [, index, double, single, name, after_dot] = found;
    if (index !== undefined) path.push(Number(index));
    else path.push(name ?? unquoted(text, at, double ?? after_dot ?? doubleQuoted(single)));
  }
  return path;
}

function doubleQuoted(single: string): string {
  const body = single.slice(1, -1).replace(
    /\\.|"/gs,
    (part) => (part === "\\'" ? "'" : part === '"' ? '\\"' : part),
  );
  return `"${body}"`;
}

function unquoted(text: string, at: number, literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw wrong(text, at, "this name has an escape that is not known");
  }
}

function wrong(text: string, at: number, wanted: string): UserError {
  return new UserError(`read path ${quoted(text, 200)} at character ${at + 1}: ${wanted}`, { code: 2 });
}
