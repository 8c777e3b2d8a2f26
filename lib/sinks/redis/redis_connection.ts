/**
 * One ioredis client, set up for a sender that keeps its own queue: no offline queue, no resending behind our back, every
 * command under way is rejected as soon as the connection is gone. Reconnects for ever, first within 100 ms, then at
 * least once a second. The password never reaches a log line.
 */
import { Redis } from "ioredis";
import { Backoff } from "../../base/backoff.ts";
import { type Timer, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import type { SinkContext } from "../sink.ts";

const RECONNECT = { first_ms: 100, max_ms: 1_000 };
const QUIT_DEADLINE_MS = 1_000;

export interface RedisAddress {
  readonly url: string;
  readonly password?: string;
  readonly connect_timeout_ms: number;
}

export class RedisConnection {
  readonly client: Redis;
  /** For people: "127.0.0.1:6379", without credentials. */
  readonly address: string;
  readonly #secrets: string[];
  #last_error = "";
  /** Runs from connected to ready: the client's own deadline ends with the TCP connection. */
  #handshake: Timer | undefined;

  constructor(options: RedisAddress, readonly context: SinkContext) {
    const url = new URL(options.url);
    const password = options.password ?? (decodeURIComponent(url.password) || undefined);
    this.#secrets = [password, url.password].filter((text) => text !== undefined && text !== "") as string[];
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = Number(url.port || 6379);
    this.address = `${url.hostname}:${port}`;
    const backoff = new Backoff(RECONNECT, new Random(`${context.seed}:${context.name}:reconnect`));
    this.client = new Redis({
      host,
      port,
      username: decodeURIComponent(url.username) || undefined,
      password,
      db: Number(url.pathname.slice(1) || 0),
      tls: url.protocol === "rediss:" ? { servername: host } : undefined,
      protocol: 2,
      lazyConnect: true,
      connectTimeout: options.connect_timeout_ms,
      connectionName: "mdg",
      disableClientInfo: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // Zero: whatever is unanswered when the connection closes is rejected then, instead of waiting for the next one.
      maxRetriesPerRequest: 0,
      retryStrategy(attempt) {
        if (attempt === 1) backoff.reset();
        return backoff.next_ms();
      },
    });
    this.#watch(options.connect_timeout_ms);
    // Its failures come as events too, and it tries again by itself.
    this.client.connect().catch(() => {});
  }
  get ready(): boolean {
    return this.client.status === "ready";
  }
  notReady(): string | undefined {
    if (this.ready) return undefined;
    const why = this.#last_error && `: ${this.#last_error}`;
    return `redis at ${this.address} is not connected${why}`;
  }
  /** What an error says, without secrets. */
  reason(error: unknown): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, "***"), reasonOf(error));
  }
  /** Gives up a connection that no longer answers; a new one is made at once. */
  reconnect(): void {
    // Not `disconnect`: that waits for a peer which by now is known not to answer.
    this.client.stream?.destroy();
  }
  async close(): Promise<void> {
    const { client, context: { clock } } = this;
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    const connected = client.stream !== undefined && !client.stream.destroyed;
    if (this.ready) await withDeadline(clock, QUIT_DEADLINE_MS, "quit", client.quit()).catch(() => {});
    client.disconnect();
    if (connected) await withDeadline(clock, QUIT_DEADLINE_MS, "disconnect", ended).catch(() => {});
    // Between two attempts the client's own disconnect timer waits for the end of a socket that has long ended.
    if (client.stream?.destroyed) client.stream.emit("close");
    else client.stream?.destroy();
    this.#handshake?.cancel();
  }

  #watch(connect_timeout_ms: number): void {
    const log = this.context.log.with({ address: this.address });
    const limited = new RateLimitedLog(log, this.context.clock);
    this.client.on("connect", () => {
      this.#handshake = this.context.clock.after(connect_timeout_ms, () => {
        this.#last_error = `no handshake within ${connect_timeout_ms} ms`;
        this.reconnect();
      });
    });
    this.client.on("ready", () => {
      this.#handshake?.cancel();
      this.#last_error = "";
      log.info("connected to redis");
      this.context.writable();
    });
    this.client.on("close", () => {
      this.#handshake?.cancel();
      limited.warn("close", "connection to redis closed");
    });
    this.client.on("error", (error) => {
      this.#last_error = this.reason(error);
      limited.warn("error", "redis connection failed", { reason: this.#last_error });
    });
  }
}
