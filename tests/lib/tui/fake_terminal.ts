/**
 * A terminal in memory: bytes that are written land on a screen of cells, keys are typed by the test. It knows the few
 * sequences that FullScreen writes, and refuses others.
 */
import type { Terminal } from "../../../lib/tui/terminal.ts";

export class FakeTerminal implements Terminal {
  is_raw = false;
  is_alternate = false;
  has_cursor = true;
  /** Bytes written, for what a frame costs. */
  written = 0;
  fails = false;
  #rows: string[] = [];
  #resized: (() => void) | undefined;
  #exit: (() => void) | undefined;
  readonly #typed: Uint8Array[] = [];
  #reader: ((chunk: Uint8Array | null) => void) | undefined;
  #closed = false;

  constructor(public columns = 80, public rows = 24) {}

  get screen(): string {
    return this.#rows.map((row) => (row ?? "").trimEnd()).join("\n");
  }
  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (this.#reader) this.#reader(bytes);
    else this.#typed.push(bytes);
  }
  hangUp(): void {
    this.#closed = true;
    this.#reader?.(null);
  }
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#resized?.();
  }
  exit(): void {
    this.#exit?.();
  }
  get listens(): boolean {
    return this.#resized !== undefined || this.#exit !== undefined;
  }

  size() {
    return { columns: this.columns, rows: this.rows };
  }
  setRaw(on: boolean): void {
    this.is_raw = on;
  }
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed) return null;
    const chunk = this.#typed.shift() ??
      await new Promise<Uint8Array | null>((resolve) => this.#reader = resolve);
    this.#reader = undefined;
    if (chunk === null) return null;
    buffer.set(chunk);
    return chunk.length;
  }
  write(text: string): Promise<void> {
    if (this.fails) return Promise.reject(new Error("gone"));
    this.writeNow(text);
    return Promise.resolve();
  }
  writeNow(text: string): void {
    this.written += text.length;
    // deno-lint-ignore no-control-regex -- what a terminal obeys
    for (const [, sequence, plain] of text.matchAll(/\u001b\[([?\d;]*[A-Za-z])|([^\u001b]+)/g)) {
      if (sequence !== undefined) this.#obey(sequence);
      else this.#rows[this.#row] = (this.#rows[this.#row] ?? "") + plain;
    }
  }
  onResize(callback: () => void): () => void {
    this.#resized = callback;
    return () => this.#resized = undefined;
  }
  onExit(callback: () => void): () => void {
    this.#exit = callback;
    return () => this.#exit = undefined;
  }

  #row = 0;
  #obey(sequence: string): void {
    if (sequence === "?1049h") this.is_alternate = true;
    else if (sequence === "?1049l") this.is_alternate = false;
    else if (sequence === "?25l") this.has_cursor = false;
    else if (sequence === "?25h") this.has_cursor = true;
    else if (sequence === "2J") this.#rows = [];
    else if (/^\d+;1H$/.test(sequence)) {
      this.#row = parseInt(sequence) - 1;
      this.#rows[this.#row] = "";
    } else if (!/^(\?7[hl]|[\d;]*m)$/.test(sequence)) {
      throw new Error(`terminal: unknown sequence ${sequence}`);
    }
  }
}
