/** A gRPC client of another implementation, in a process of its own, told what to do line by line. */
import assert from "node:assert/strict";
import { type Message, PROTO_FILE } from "./grpc_rig.ts";

export interface StreamWish {
  name: string;
  method: string;
  request: Message;
  metadata?: Record<string, string>;
  deadline_ms?: number;
}
export interface StreamState {
  count: number;
  last?: Message;
  status?: { code: number; details: string };
}
/** Until so many messages, or this value in the last one, or its end. */
type Until = { count: number } | { path: string; equals: unknown } | { end: true };

const SCRIPTS = new URL(".", import.meta.url).pathname;

/** How to start each: `place` is the address of its service. */
export const IMPLEMENTATIONS = {
  grpc_js: (place: string) => ["node", `${SCRIPTS}client.mjs`, place, PROTO_FILE],
  python_grpc: (place: string) => [place, `${SCRIPTS}client.py`],
} as const;

export class RemoteClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(command: readonly string[], address: string, root_file?: string) {
    const [program, ...args] = command;
    this.#child = new Deno.Command(program, {
      args: [...args, address, ...(root_file === undefined ? [] : [root_file])],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }
  unary(method: string, request: Message, metadata?: Record<string, string>): Promise<Message> {
    return this.#do({ command: "unary", method, request, metadata }) as Promise<Message>;
  }
  async value(method: string, request: Message, metadata?: Record<string, string>): Promise<Message> {
    const reply = await this.unary(method, request, metadata);
    assert.ok(reply.value, JSON.stringify(reply));
    return reply.value;
  }
  open(streams: StreamWish[]): Promise<unknown> {
    return this.#do({ command: "open", streams });
  }
  until(names: string[], wanted: Until): Promise<StreamState[]> {
    return this.#do({ command: "until", names, ...wanted }) as Promise<StreamState[]>;
  }
  tell(command: "pause" | "resume" | "cancel", names: string[]): Promise<unknown> {
    return this.#do({ command, names });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    while (!(await this.#reader.read()).done);
    await this.#child.status;
  }

  async #do(wish: object): Promise<unknown> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(wish)}\n`));
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the client's process ended");
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(line);
  }
}
