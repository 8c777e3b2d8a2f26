/**
 * A redis-server of the test's own, on a free port and without files unless it is to keep its data, that it may kill -9
 * and start again on the same port; and a subscriber that remembers what came.
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
  private constructor(readonly port: number, readonly folder: string | undefined, readonly args: string[]) {}

  /** `keeps_data`: every write is in its file before it is answered. In `args` {port} is its port. */
  static async start(
    options: { keeps_data?: boolean; args?: string[]; folder?: string } = {},
  ): Promise<RedisServer> {
    const folder = options.keeps_data ? await Deno.makeTempDir({ prefix: "mdg-redis-" }) : options.folder;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const server = new RedisServer(
      port,
      folder,
      (options.args ?? []).map((word) => word.replace("{port}", `${port}`)),
    );
    await server.start();
    return server;
  }
  /** A Sentinel that watches this master as "mymaster", alone. */
  static async startSentinel(master: RedisServer): Promise<RedisServer> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-sentinel-" });
    const file = `${folder}/sentinel.conf`;
    const settings = ["down-after-milliseconds mymaster 500", "failover-timeout mymaster 2000"];
    await Deno.writeTextFile(
      file,
      [`monitor mymaster 127.0.0.1 ${master.port} 1`, ...settings].map((line) => `sentinel ${line}\n`).join(
        "",
      ),
    );
    return await RedisServer.start({ args: [file, "--sentinel"], folder });
  }
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }
  /** Resolves when it answers. */
  async start(): Promise<void> {
    const args = ["--port", `${this.port}`, "--bind", "127.0.0.1"];
    if (this.args[1] === "--sentinel") args.unshift(...this.args);
    else if (this.folder) {
      args.push(
        "--save",
        "",
        "--dir",
        this.folder,
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        ...this.args,
      );
    } else args.push("--save", "", "--appendonly", "no", ...this.args);
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
    if (this.folder) await Deno.remove(this.folder, { recursive: true });
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
