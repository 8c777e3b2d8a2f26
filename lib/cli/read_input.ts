/**
 * What a person or a pipe gives to a command: stdin to its end, within a bound, or a secret typed without an echo. The
 * question goes to stderr, so stdout stays data. Ctrl-C while typing ends the command as it would anywhere else.
 */
import { UserError } from "../base/errors.ts";
import { TypedInterrupt } from "./lifecycle.ts";

/** Everything on stdin; a UserError past `max_bytes`. */
export async function readAll(
  stdin: ReadableStream<Uint8Array>,
  max_bytes: number,
  noun = "stdin",
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stdin) {
    length += piece.length;
    if (length > max_bytes) throw new UserError(`read ${noun}: more than ${max_bytes} bytes, want fewer`);
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The terminal as the prompt needs it; `terminalInput` is the process's own. */
export interface HiddenInput {
  readonly is_terminal: boolean;
  set_raw(on: boolean): void;
  read(buffer: Uint8Array): Promise<number | null>;
}

export const terminalInput: HiddenInput = {
  get is_terminal() {
    return Deno.stdin.isTerminal();
  },
  set_raw: (on) => Deno.stdin.setRaw(on),
  read: (buffer) => Deno.stdin.read(buffer),
};

const MAX_TYPED_BYTES = 64 * 1024;
const [CTRL_C, CTRL_D, BACKSPACE, LINE_FEED, RETURN, CTRL_U, DELETE] = [3, 4, 8, 10, 13, 21, 127];

/** Who is asked: questions go to stderr, and a wish to stop ends the waiting. */
export interface Person {
  stderr(text: string): void;
  readonly signal?: AbortSignal;
}

/** How to ask a person for a secret; undefined where there is no terminal to ask on. */
export function asker(person: Person): ((question: string) => Promise<string>) | undefined {
  return terminalInput.is_terminal ? (question) => askHidden(question, person) : undefined;
}

/** What reading keys needs of the world: where paths start, the environment, and a person to ask, if there is one. */
export function askingWorld(
  world: Person & { cwd: string; env: Readonly<Record<string, string | undefined>> },
) {
  return { cwd: world.cwd, env: world.env, ask: asker(world) };
}

/** As `asker`, but each question only once: a reload of the config, hours later, gets the answer of the start. */
export function askOnce(person: Person): ((question: string) => Promise<string>) | undefined {
  const ask = asker(person);
  const answers = new Map<string, string>();
  return ask && (async (question) => {
    const answer = answers.get(question) ?? await ask(question);
    answers.set(question, answer);
    return answer;
  });
}

/** One typed line, never echoed. Rejects with a TypedInterrupt on Ctrl-C. */
export async function askHidden(
  question: string,
  person: Person,
  input: HiddenInput = terminalInput,
): Promise<string> {
  const typed: number[] = [];
  return await typedBytes(question, person, input, (byte) => {
    if (byte === RETURN || byte === LINE_FEED || byte === CTRL_D) return decoded(typed);
    if (byte === CTRL_U) typed.length = 0;
    else if (byte === BACKSPACE || byte === DELETE) dropCharacter(typed);
    else if (typed.push(byte) > MAX_TYPED_BYTES) {
      throw new UserError(`read typed line: more than ${MAX_TYPED_BYTES} bytes, want fewer`);
    }
    return undefined;
  }) ?? decoded(typed);
}

/** One of `keys` (small letters), typed without a line end; asked again until it is one. Rejects as `askHidden` does. */
export async function askKey<K extends string>(
  question: string,
  keys: readonly K[],
  person: Person,
  input: HiddenInput = terminalInput,
): Promise<K> {
  const key = await typedBytes(question, person, input, (byte) => {
    const typed = String.fromCharCode(byte).toLowerCase();
    return keys.find((known) => known === typed);
  });
  if (key === undefined) throw new UserError("read key: the terminal is gone");
  return key;
}

/** Asks, then hands each typed byte to `take` until that gives a result; undefined at the end of the input. */
async function typedBytes<T>(
  question: string,
  { stderr, signal }: Person,
  input: HiddenInput,
  take: (byte: number) => T | undefined,
): Promise<T | undefined> {
  signal?.throwIfAborted();
  const buffer = new Uint8Array(256);
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => stop = () => reject(signal?.reason));
  stopped.catch(() => {});
  const restore = () => input.set_raw(false);
  stderr(question);
  input.set_raw(true);
  // however the process ends, the terminal must not stay as it is now
  globalThis.addEventListener("unload", restore);
  signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      const count = await Promise.race([input.read(buffer), stopped]);
      if (count === null) return undefined;
      for (const byte of buffer.subarray(0, count)) {
        if (byte === CTRL_C) throw new TypedInterrupt();
        const result = take(byte);
        if (result !== undefined) return result;
      }
    }
  } finally {
    buffer.fill(0);
    signal?.removeEventListener("abort", stop);
    globalThis.removeEventListener("unload", restore);
    restore();
    stderr("\n");
  }
}

/** A UTF-8 character may be several bytes. */
function dropCharacter(typed: number[]): void {
  while (((typed.pop() ?? 0) & 0xC0) === 0x80);
}

function decoded(typed: number[]): string {
  const text = new TextDecoder().decode(new Uint8Array(typed));
  typed.fill(0);
  return text;
}
