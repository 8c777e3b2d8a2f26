/**
 * The whole terminal for a while: alternate screen, keys without echo, only rows that changed are written, and everything
 * put back on every way out of the process (but kill -9, which no process can answer).
 */
/** What a view needs of a terminal; `processTerminal` is the real one. */
export interface Terminal {
  size(): { columns: number; rows: number };
  setRaw(on: boolean): void;
  /** Bytes typed; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Resolves when the terminal took it: over a slow line frames are left out, not piled up. */
  write(text: string): Promise<void>;
  /** The last word, from an exit handler. */
  writeNow(text: string): void;
  /** Returns how to stop listening. */
  onResize(callback: () => void): () => void;
  /** Called on the way out of the process, however it ends. Returns how to take it back. */
  onExit(callback: () => void): () => void;
}

export const processTerminal: Terminal = {
  size: () => Deno.consoleSize(),
  setRaw: (on) => Deno.stdin.setRaw(on),
  read: (buffer) => Deno.stdin.read(buffer),
  async write(text) {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
  },
  writeNow: (text) => void Deno.stdout.writeSync(new TextEncoder().encode(text)),
  onResize(callback) {
    if (Deno.build.os === "windows") return () => {};
    Deno.addSignalListener("SIGWINCH", callback);
    return () => Deno.removeSignalListener("SIGWINCH", callback);
  },
  onExit(callback) {
    globalThis.addEventListener("unload", callback);
    return () => globalThis.removeEventListener("unload", callback);
  },
};

/** Alternate screen, no cursor, no wrapping at the last column; and back. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J";
const LEAVE = "\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l";

export class FullScreen {
  #shown: readonly string[] = [];
  #wanted: readonly string[] | undefined;
  #is_writing = false;
  #failed: unknown;
  #open = true;
  readonly #takeBack: () => void;

  constructor(readonly terminal: Terminal) {
    this.#takeBack = terminal.onExit(() => this.close());
    terminal.setRaw(true);
    terminal.writeNow(ENTER);
  }
  /**
   * Each line as wide as the terminal: nothing is cleared before it is drawn, so nothing flickers. The newest frame wins
   * while an older one is still on its way.
   */
  paint(lines: readonly string[]): void {
    this.#wanted = lines;
    if (!this.#is_writing) void this.#write();
  }
  /** What is there is not known any more: a resize, Ctrl-L. */
  forget(): void {
    this.#shown = [];
  }
  /** Why the terminal takes nothing any more; undefined while it does. */
  get failure(): unknown {
    return this.#failed;
  }
  /** Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#takeBack();
    try {
      this.terminal.writeNow(LEAVE);
      this.terminal.setRaw(false);
    } catch {
      // The terminal itself is gone.
    }
  }

  async #write(): Promise<void> {
    this.#is_writing = true;
    try {
      while (this.#wanted !== undefined && this.#open) {
        const text = difference(this.#shown, this.#wanted);
        this.#shown = this.#wanted;
        this.#wanted = undefined;
        if (text !== "") await this.terminal.write(text);
      }
    } catch (error) {
      this.#failed = error;
    }
    this.#is_writing = false;
  }
}

/** What turns the shown rows into the wanted ones: those that changed, overwritten. */
export function difference(shown: readonly string[], wanted: readonly string[]): string {
  let text = shown.length === wanted.length ? "" : "\u001b[2J";
  for (let row = 0; row < wanted.length; row++) {
    if (shown.length === wanted.length && shown[row] === wanted[row]) continue;
    text += `\u001b[${row + 1};1H${wanted[row]}`;
  }
  return text;
}
