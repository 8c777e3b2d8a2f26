/**
 * A redis-server of the test's own, on a free port and without files, that it may kill -9 and start again on the same
 * port; and a subscriber that remembers what came.
 */
import { Redis } from "ioredis";
import { sleep, systemClock } from "../../lib/base/clock.ts";

const PROGRAM = "redis-server";

/** Why there can be no server of our own; undefined when there can. */
export function redisServerMissing(): string | undefined {
  try {
    new Deno.Command(PROGRAM, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return `redis: ${PROGRAM} is not installed`;
  }
}

export class RedisServer implements AsyncDisposable {
  #process: Deno.ChildProcess | undefined;
  private constructor(readonly port: number) {}

  static async start(): Promise<RedisServer> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const server = new RedisServer(port);
    await server.start();
    return server;
  }
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }
  /** Resolves when it answers. */
  async start(): Promise<void> {
    const args = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    this.#process = new Deno.Command(PROGRAM, { args, stdout: "null", stderr: "null" }).spawn();
    for (let attempt = 0; attempt < 500; attempt++) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch {
        await sleep(systemClock, 10);
      }
    }
    throw new Error(`start ${PROGRAM} on port ${this.port}: no answer within 5 s`);
  }
  /** kill -9. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#process!.status;
    this.#process = undefined;
  }
  signal(name: Deno.Signal): void {
    this.#process!.kill(name);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process) await this.kill();
  }
}

/** Remembers what comes on the channels of a pattern; subscribes again after a break. */
export class RedisSubscriber implements AsyncDisposable {
  readonly received: { channel: string; payload: string }[] = [];
  readonly #client: Redis;
  #waiting: (() => void) | undefined;
  subscribed = false;
  onSubscribed: () => void = () => {};

  constructor(url: string, readonly pattern: string) {
    this.#client = new Redis(url, {
      autoResubscribe: false,
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
    });
    this.#client.on("error", () => {});
    this.#client.on("close", () => this.subscribed = false);
    this.#client.on("ready", () => {
      this.#client.psubscribe(pattern).then(() => {
        this.subscribed = true;
        this.onSubscribed();
        this.#waiting?.();
      }, () => {});
    });
    this.#client.on("pmessage", (_pattern, channel, payload) => {
      this.received.push({ channel, payload });
      this.#waiting?.();
    });
  }
  /** Resolves when `done` holds; looked at after every message. */
  async until(done: () => boolean, limit_ms = 10_000): Promise<void> {
    const late = new AbortController();
    const timer = systemClock.after(limit_ms, () => {
      late.abort();
      this.#waiting?.();
    });
    while (!done() && !late.signal.aborted) await new Promise<void>((resolve) => this.#waiting = resolve);
    timer.cancel();
    if (!done()) throw new Error(`wait for redis messages: not there after ${limit_ms} ms`);
  }
  payloads(channel: string): string[] {
    return this.received.filter((message) => message.channel === channel).map((message) => message.payload);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    const client = this.#client;
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    client.disconnect();
    // Between two attempts no "end" comes, and the client's own timer waits for the end of a socket that has long ended.
    if (client.stream?.destroyed) client.stream.emit("close");
    else await ended;
  }
}
