/**
 * Random trees of files: YAML in many layouts (indentations, block and flow styles, scalars of every style, comments and
 * blank lines anywhere, anchors, tags, document marks), JSON5 and texts. Each comment holds a word of its own.
 */
import type { Random } from "../../../../lib/base/random.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import type { TreeFile, TreeFolder } from "../../../../lib/formats/yaml_tree/fold.ts";

const INLINE = [
  "1",
  "0644",
  "0x1F",
  "-0.0",
  "1_000",
  "yes",
  "12:30:45",
  "~",
  "null",
  "word",
  "two words",
  "a#b",
  "x:y",
  "é😀",
]
  .concat([
    "'quo''ted'",
    '"a\\tb \\u00e9"',
    '"# no"',
    "[a, b]",
    "{x: 1, 'y': [2]}",
    "[]",
    "{}",
    "!own text",
    "2024-01-01",
    "",
  ]);
const TEXTS = [
  "one",
  "",
  "a\nb\n",
  "a\n\n  b\n",
  "  lead\nx",
  "a\r\nb\n",
  "a\n\n\n",
  "\n\nx\n",
  "tab\there\n",
  "# no\n- x: [\n",
  "\u0085\n",
  "x \n",
]
  .concat(["a\n---\nb\n", "\ttab\n", "yes\n", "a\n ", "%x\n"]);

export class TreeGenerator {
  #words = 0;
  #keys = 0;
  #anchors = 0;

  /** With `pool`, keys and names come from a few words and meet; else each is used once. */
  constructor(readonly random: Random, readonly pool?: readonly string[]) {}

  tree(): TreeFolder {
    return this.#folder("t", "t", 0);
  }

  #folder(path: string, name: string, depth: number): TreeFolder {
    const { random } = this;
    const entries: (TreeFile | TreeFolder)[] = [];
    const count = random.integer(depth === 0 ? 1 : 0, 4);
    for (let i = 0; i < count; i++) {
      const prefix = random.chance(0.3) ? `${random.integer(0, 30)}${random.pick(["-", "_"])}` : "";
      const merges = random.chance(0.2);
      const stem = prefix + (merges ? "@" : "") + this.#key();
      if (depth < 3 && random.chance(0.35)) {
        entries.push(this.#folder(`${path}/${stem}`, stem, depth + 1));
        continue;
      }
      const kind = random.pick(["yaml", "yaml", "yml", "json5", "txt"]);
      if (kind === "txt" && merges) continue;
      const file = `${stem}.${kind}`;
      if (entries.some((one) => one.name === file)) continue;
      const is_map = merges || depth === 0 || random.chance(0.5);
      const text = kind === "txt"
        ? random.pick(TEXTS)
        : kind === "json5"
        ? this.#json5(is_map)
        : this.#yaml(is_map);
      entries.push({ kind: "file", name: file, source: new SourceText(`${path}/${file}`, text) });
    }
    return { kind: "folder", name, path, entries };
  }

  #key(): string {
    return this.pool ? this.random.pick(this.pool) : `k${this.#keys++}`;
  }
  /** Beside another key in one mapping. */
  #flowKey(): string {
    return this.pool ? "z" : this.#key();
  }
  #comment(mark: string): string {
    return `${mark} note${this.#words++}x`;
  }
  #gap(indent: string, end = "\n"): string {
    let text = "";
    while (this.random.chance(0.2)) {
      text += this.random.chance(0.5) ? end : `${indent}${this.#comment("#")}${end}`;
    }
    return text;
  }
  #beside(): string {
    return this.random.chance(0.15) ? ` ${this.#comment("#")}` : "";
  }

  #json5(is_map: boolean): string {
    const { random } = this;
    const comment =
      () => (random.chance(0.2)
        ? `${this.#comment("//")}\n`
        : random.chance(0.1)
        ? `/* ${this.#comment("")} */`
        : "");
    const value = (depth: number): string => {
      if (depth > 2 || random.chance(0.6)) {
        return random.pick(["1", "'yes'", '"a: b"', "0xFF", "null", "-.5", "'x\\ny'", "true"]);
      }
      const items = Array.from({ length: random.integer(0, 3) }, () => comment() + value(depth + 1));
      return random.chance(0.5) ? `[${items.join(", ")}${comment()}]` : object(depth);
    };
    const object = (depth: number): string => {
      const items = new Map(
        Array.from({ length: random.integer(0, 3) }, () => [this.#key(), value(depth + 1)]),
      );
      return `{${[...items].map(([key, text]) => `${comment()}${key}: ${text}`).join(",\n")}\n${comment()}}`;
    };
    return `${comment()}${is_map ? object(0) : value(1)}\n${comment()}`;
  }

  #yaml(is_map: boolean): string {
    const { random } = this;
    if (random.chance(0.05)) return this.#gap("");
    let text = this.#gap("");
    if (random.chance(0.15)) text += `---${this.#beside()}\n${this.#gap("")}`;
    if (is_map && random.chance(0.1)) {
      text += `{${this.#key()}: 1,${this.#beside()}\n ${this.#flowKey()}: 'x'}${this.#beside()}\n`;
    } else if (is_map) text += this.#map(0, random.pick([2, 4]));
    else if (random.chance(0.4)) text += this.#sequence(random.pick([0, 2]), 2);
    else text += this.#scalar(0).trimStart() || "x\n";
    text += this.#gap("");
    if (random.chance(0.1)) text += `...\n${this.#gap("")}`;
    return random.chance(0.1) ? text.replaceAll("\n", "\r\n") : text;
  }

  #map(column: number, step: number): string {
    const { random } = this;
    const pad = " ".repeat(column);
    const keys = new Set(Array.from({ length: random.integer(1, 4) }, () => this.#key()));
    let text = "";
    for (const key of keys) {
      const written = random.chance(0.1) ? `'${key}'` : key;
      text += `${this.#gap(pad)}${pad}${written}:${this.#value(column, step)}`;
    }
    return text + (random.chance(0.1) ? `${pad}${this.#comment("#")}\n` : "");
  }

  #value(column: number, step: number): string {
    const { random } = this;
    const inner = column + step;
    if (column > 6 || random.chance(0.5)) return this.#scalar(column);
    if (random.chance(0.15)) {
      const pad = " ".repeat(inner);
      return ` &x${this.#anchors++}\n${pad}${this.#key()}: {n: [1]}\n`;
    }
    if (random.chance(0.5)) {
      return `${this.#beside()}\n${this.#gap(" ".repeat(inner))}${this.#map(inner, step)}`;
    }
    return `${this.#beside()}\n${this.#sequence(random.pick([column, inner]), step)}`;
  }

  #sequence(column: number, step: number): string {
    const { random } = this;
    const pad = " ".repeat(column);
    let text = "";
    for (let left = random.integer(1, 3); left > 0; left--) {
      const choice = random.integer(0, 3);
      text += this.#gap(pad);
      if (choice === 0) text += `${pad}- ${this.#map(column + 2, step).replace(/^(\s|#.*\n)*/, "")}`;
      else text += `${pad}-${this.#scalar(column)}`;
    }
    return text;
  }

  /** What follows a colon or dash at `column`, up to the line's end. */
  #scalar(column: number): string {
    const { random } = this;
    const pad = " ".repeat(column + 1 + random.integer(0, 2));
    switch (random.integer(0, 9)) {
      case 0:
        return ` |${random.pick(["", "-", "+"])}${this.#beside()}\n${pad}text\n${
          random.chance(0.3) ? "\n" : ""
        }${pad}  more # text\n`;
      case 1:
        return ` >${random.pick(["", "-"])}\n${pad}folded\n${pad}text\n\n`;
      case 2:
        return ` "over\n${pad}two lines"${this.#beside()}\n`;
      case 3:
        return ` plain over\n${pad}two lines\n`;
      case 4:
        return ` [a,${this.#beside()}\n${pad}{b: 'c'},\n${pad}${
          this.random.chance(0.3) ? `${this.#comment("#")}\n${pad}` : ""
        }d ]\n`;
      default:
        return ` ${random.pick(INLINE)}${this.#beside()}\n`;
    }
  }
}
