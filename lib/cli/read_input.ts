/**
 * What a person or a pipe gives to a command: stdin to its end, within a bound, or a secret typed without an echo. The
 * question goes to stderr, so stdout stays data. Ctrl-C while typing ends the command as it would anywhere else.
 */
import { UserError } from "../base/errors.ts";

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

/** One typed line, never echoed. Rejects with an AbortError on Ctrl-C. */
export async function askHidden(
  question: string,
  say: (text: string) => void,
  input: HiddenInput = terminalInput,
): Promise<string> {
  say(question);
  const typed: number[] = [];
  const buffer = new Uint8Array(256);
  input.set_raw(true);
  try {
    for (;;) {
      const count = await input.read(buffer);
      if (count === null) return decoded(typed);
      for (const byte of buffer.subarray(0, count)) {
        if (byte === RETURN || byte === LINE_FEED || byte === CTRL_D) return decoded(typed);
        if (byte === CTRL_C) throw new DOMException("typing was interrupted", "AbortError");
        if (byte === CTRL_U) typed.length = 0;
        else if (byte === BACKSPACE || byte === DELETE) dropCharacter(typed);
        else if (typed.push(byte) > MAX_TYPED_BYTES) {
          throw new UserError(`read typed line: more than ${MAX_TYPED_BYTES} bytes, want fewer`);
        }
      }
    }
  } finally {
    buffer.fill(0);
    input.set_raw(false);
    say("\n");
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
