/**
 * The one place that prints. stdout is data, stderr is talk; errors and hints look the same everywhere. A reader that
 * went away (broken pipe) is told once through `on_broken_pipe`, and what comes after it is thrown away quietly.
 * Refuses: buffering without an end — writes to stdout go one after the other, each awaited by its caller.
 */
import { knownSecrets } from "../base/known_secrets.ts";
import { reasonOf, type UserError } from "../base/errors.ts";
import type { RateLimitedLog } from "../base/log.ts";

/** Where bytes go. Writers may take fewer bytes than given, as files and pipes do. */
export interface Streams {
  write_stdout(bytes: Uint8Array): Promise<number>;
  write_stderr(bytes: Uint8Array): number;
  readonly stdout_is_terminal: boolean;
  readonly stderr_is_terminal: boolean;
  /** Columns of the terminal; undefined when there is none. */
  readonly columns: number | undefined;
}

/** The process's own streams. */
export function processStreams(): Streams {
  const stdout_is_terminal = Deno.stdout.isTerminal();
  return {
    write_stdout: (bytes) => Deno.stdout.write(bytes),
    write_stderr: (bytes) => Deno.stderr.writeSync(bytes),
    stdout_is_terminal,
    stderr_is_terminal: Deno.stderr.isTerminal(),
    columns: stdout_is_terminal ? Deno.consoleSize().columns : undefined,
  };
}

/** A full, non-blocking stderr is tried again this often, 1 ms apart; then the rest of the text is dropped. */
const STDERR_TRIES = 1_000;
/** Characters of talk that wait while a command has the screen; the oldest are dropped. */
const MAX_HELD = 64 * 1024;

interface HeldTalk {
  readonly texts: string[];
  dropped: number;
}

export class Output {
  /** Called once, when the reader of stdout is gone. */
  on_broken_pipe: () => void = () => {};
  /** Texts for stderr that a full or closed pipe did not take. */
  stderr_dropped = 0;
  #stdout_broken = false;
  /** What waits for the screen to be given back. */
  #held: HeldTalk | undefined;
  #last_write: Promise<void> = Promise.resolve();
  readonly #masker = knownSecrets.stream();
  readonly #encoder = new TextEncoder();
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));

  constructor(readonly streams: Streams, readonly color: boolean) {}

  /** Resolves when the bytes are taken, or thrown away after a broken pipe. Order of calls is kept. */
  data(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? this.#encoder.encode(text) : text;
    const write = this.#last_write.then(() => this.#write(bytes));
    // a failed write is its caller's error; the next one tries for itself
    this.#last_write = write.catch(() => {});
    return write;
  }

  /**
   * Text for the person, with secrets that this process decrypted masked. Synchronous, so that nothing is lost when the
   * process ends; only the end of an unfinished line that may begin a secret waits for the next call or `flush`.
   */
  talk(text: string): void {
    this.#say(this.#masker.push(text, text.endsWith("\n")));
  }

  /**
   * Talk waits from now on, or it would be written across a screen that a command draws. Until the returned function is
   * called or the process ends: an error that ends it is still said. Call it once the screen is taken: what is to happen
   * at the exit happens in that order.
   */
  hold(): () => void {
    const held: HeldTalk = this.#held = { texts: [], dropped: 0 };
    const release = () => {
      globalThis.removeEventListener("unload", release);
      if (this.#held === held) this.#held = undefined;
      if (held.dropped > 0) this.#say(`warning: ${held.dropped} earlier lines for stderr were dropped\n`);
      held.dropped = 0;
      for (const text of held.texts.splice(0)) this.#say(text);
    };
    globalThis.addEventListener("unload", release);
    return release;
  }

  #say(text: string): void {
    if (text === "") return;
    if (this.#held) return this.#wait(this.#held, text);
    const lost = this.stderr_dropped;
    if (!this.#talk(text)) this.stderr_dropped++;
    else if (lost > 0) {
      this.stderr_dropped = 0;
      this.#talk(`warning: ${lost} lines for stderr were dropped: its reader was too slow\n`);
    }
  }

  /** `error: …` for each line of the message (indented ones, such as source lines, as they are), then `hint: …`. */
  failure(error: Pick<UserError, "message" | "hint">): void {
    const label = this.#paint("31", "error:");
    const lines = error.message.split("\n").map((line) =>
      line.startsWith("  ") ? `${line}\n` : `${label} ${line}\n`
    );
    if (error.hint) lines.push(`${this.#paint("36", "hint:")} ${error.hint}\n`);
    this.talk(lines.join(""));
  }

  /** Waits until everything given to `data` is out. */
  async flush(): Promise<void> {
    this.#say(this.#masker.flush());
    await this.#last_write;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length && !this.#stdout_broken) {
        done += await this.streams.write_stdout(bytes.subarray(done));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      if (!this.#stdout_broken) {
        this.#stdout_broken = true;
        this.on_broken_pipe();
      }
    }
  }

  #wait(held: HeldTalk, text: string): void {
    held.texts.push(text);
    let length = held.texts.reduce((sum, one) => sum + one.length, 0);
    while (length > MAX_HELD && held.texts.length > 1) {
      length -= held.texts.shift()!.length;
      held.dropped++;
    }
  }

  #talk(text: string): boolean {
    const bytes = this.#encoder.encode(text);
    let done = 0;
    for (let tries = 0; done < bytes.length && tries < STDERR_TRIES;) {
      try {
        done += this.streams.write_stderr(bytes.subarray(done));
      } catch (error) {
        // nobody reads the talk: that is no reason to stop the work
        if (!(error instanceof Deno.errors.WouldBlock)) return false;
        Atomics.wait(this.#nap, 0, 0, 1);
        tries++;
      }
    }
    return done === bytes.length;
  }

  #paint(code: string, text: string): string {
    return this.color && this.streams.stderr_is_terminal ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/** Colours are wanted unless the person said no: NO_COLOR with any value, --no-color, TERM=dumb. */
export function colorWanted(
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): boolean {
  return !env.NO_COLOR && env.TERM !== "dumb" && !argv.includes("--no-color");
}

/**
 * Libraries print by themselves (ioredis does, about passwords): to stdout even, which is data. From now on all of that is
 * a warning in the log, masked like any other, once in a while for each text.
 */
export function routeConsole(log: RateLimitedLog): void {
  const say = (...parts: readonly unknown[]) => {
    const text = parts.map((part) => typeof part === "string" ? part : reasonOf(part)).join(" ");
    log.warn(text, "a library said", { text });
  };
  for (const method of ["log", "info", "warn", "error", "debug", "trace", "dir", "table"] as const) {
    // deno-lint-ignore no-console -- taken away from libraries, not used
    console[method] = say;
  }
}
