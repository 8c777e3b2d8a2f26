/**
 * A strict reader of the InfluxDB line protocol as QuestDB documents it, written from the rules and sharing no code with
 * any client: table,symbol=value,… column=value,… timestamp. Throws on anything else.
 */

export interface Line {
  table: string;
  symbols: Record<string, string>;
  /** Floats as their text, integers as bigint, timestamps as `{ us }`. */
  columns: Record<string, string | bigint | boolean | { float: string } | { us: bigint }>;
  /** Unix epoch, nanoseconds. */
  at_ns: bigint;
}

const FLOAT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

export function readLines(text: string): Line[] {
  const reader = new LineReader(text);
  const lines: Line[] = [];
  while (!reader.isAtEnd) lines.push(reader.line());
  return lines;
}

class LineReader {
  #at = 0;
  constructor(readonly text: string) {}
  get isAtEnd(): boolean {
    return this.#at >= this.text.length;
  }

  line(): Line {
    const line: Line = { table: this.#name(), symbols: {}, columns: {}, at_ns: 0n };
    while (this.#took(",")) {
      const name = this.#name();
      this.#want("=");
      this.#once(line.symbols, name);
      line.symbols[name] = this.#name();
    }
    this.#want(" ");
    do {
      const name = this.#name();
      this.#want("=");
      this.#once(line.columns, name);
      line.columns[name] = this.#value();
    } while (this.#took(","));
    this.#want(" ");
    const at = this.#until("\n");
    if (!/^\d{1,19}$/.test(at)) throw this.#wrong(`timestamp ${at}`);
    line.at_ns = BigInt(at);
    this.#want("\n");
    return line;
  }

  /** A table, symbol or column name, or a symbol's value: space, comma, equals sign and backslash are escaped. */
  #name(): string {
    let name = "";
    for (; !this.isAtEnd; this.#at++) {
      let char = this.text[this.#at];
      if (" ,=\n".includes(char)) break;
      if (char === "\\") char = this.text[++this.#at];
      name += char;
    }
    if (name === "") throw this.#wrong("empty name");
    return name;
  }
  #value(): Line["columns"][string] {
    if (this.#took('"')) return this.#quoted();
    const text = this.#until(", \n");
    if (text === "t" || text === "f") return text === "t";
    if (/^-?\d{1,19}i$/.test(text)) return BigInt(text.slice(0, -1));
    if (/^\d{1,19}t$/.test(text)) return { us: BigInt(text.slice(0, -1)) };
    if (FLOAT.test(text)) return { float: text };
    throw this.#wrong(`value ${text}`);
  }
  #quoted(): string {
    let value = "";
    for (; this.text[this.#at] !== '"'; this.#at++) {
      if (this.isAtEnd || this.text[this.#at] === "\n") throw this.#wrong("open string");
      if (this.text[this.#at] === "\\") this.#at++;
      value += this.text[this.#at];
    }
    this.#at++;
    return value;
  }
  #until(stops: string): string {
    const from = this.#at;
    while (!this.isAtEnd && !stops.includes(this.text[this.#at])) this.#at++;
    return this.text.slice(from, this.#at);
  }
  #took(char: string): boolean {
    if (this.text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
  #want(char: string): void {
    if (!this.#took(char)) throw this.#wrong(`no ${JSON.stringify(char)}`);
  }
  #once(known: object, name: string): void {
    if (Object.hasOwn(known, name)) throw this.#wrong(`${name} twice`);
  }
  #wrong(what: string): Error {
    return new Error(`line protocol: ${what} at ${this.#at} of ${JSON.stringify(this.text.slice(0, 2_000))}`);
  }
}
