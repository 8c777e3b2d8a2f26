/**
 * One ioredis client, set up for a user that keeps its own queue: no offline queue, no resending behind our back, every
 * command under way is rejected as soon as the connection is gone. Reconnects for ever, first within 100 ms, then at
 * least once a second; with Sentinels to the master they name by then. The password never reaches a log line.
 */
import { isIP } from "node:net";
import { type ChainableCommander, Redis, type RedisOptions } from "ioredis";
import { Backoff } from "../../base/backoff.ts";
import { type Timer, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import type { RedisAddress, RedisAnswer, RedisContext, RedisItem, RedisLink } from "./redis_link.ts";

const RECONNECT = { first_ms: 100, max_ms: 1_000 };
const QUIT_DEADLINE_MS = 1_000;
const WAIT_PAUSE_MS = 1_000;
export const REDIS_PORT = 6379;

export interface HostPort {
  host: string;
  port: number;
}

/** "host", "host:port" or "[::1]:port". */
export function hostPortOf(text: string): HostPort {
  const { hostname, port } = new URL(`redis://${text}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || REDIS_PORT) };
}

export class RedisConnection implements RedisLink {
  readonly client: Redis;
  /** For people: "127.0.0.1:6379", without credentials. */
  readonly address: string;
  readonly #secrets: readonly string[];
  #wait_again_ms = 0;
  #closing = false;
  #last_error = "";
  /** Runs from connected to ready: the client's own deadline ends with the TCP connection. */
  #handshake: Timer | undefined;

  /** `node`: this node of a Cluster instead of the URL's host. */
  constructor(readonly options: RedisAddress, readonly context: RedisContext, node?: HostPort) {
    const url = new URL(options.url);
    const start = node ?? hostPortOf(url.host);
    const nodes = [start, ...options.nodes.map(hostPortOf)];
    const is_sentinel = options.topology === "sentinel";
    const password = options.password ?? (decodeURIComponent(url.password) || undefined);
    this.address = is_sentinel
      ? `master ${options.master_name} of ${nodes.map(nameOf).join(", ")}`
      : nameOf(start);
    this.#secrets = [password, url.password, options.sentinel_password].filter((text) =>
      text !== undefined && text !== ""
    ) as string[];
    const tls = tlsOptions(options, url, start.host);
    this.client = new Redis({
      ...(is_sentinel
        ? {
          sentinels: nodes,
          name: options.master_name,
          sentinelUsername: options.sentinel_username,
          sentinelPassword: options.sentinel_password,
          enableTLSForSentinelMode: tls !== undefined,
          sentinelTLS: tls,
          sentinelRetryStrategy: this.#delays("sentinel"),
        }
        : start),
      username: options.username ?? (decodeURIComponent(url.username) || undefined),
      password,
      db: options.topology === "cluster" ? 0 : Number(url.pathname.slice(1) || 0),
      tls,
      protocol: 2,
      lazyConnect: true,
      connectTimeout: options.connect_timeout_ms,
      connectionName: "mdg",
      disableClientInfo: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      // Zero: whatever is unanswered when the connection closes is rejected then, instead of waiting for the next one.
      maxRetriesPerRequest: 0,
      retryStrategy: this.#delays("reconnect"),
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
  async send<Item extends RedisItem>(
    items: readonly Item[],
    append: (pipeline: ChainableCommander, item: Item) => void,
  ): Promise<RedisAnswer[]> {
    const pipeline = this.client.pipeline();
    for (const item of items) append(pipeline, item);
    return (await this.exec(pipeline)).slice(0, items.length);
  }
  /** The answer to each command in the pipeline, and to a WAIT for replicas where that is wanted. */
  async exec(pipeline: ChainableCommander): Promise<RedisAnswer[]> {
    const { wait_replicas = 0, wait_timeout_ms = 100 } = this.options;
    const { clock } = this.context;
    const waits = wait_replicas > 0 && clock.monotonic_ms() >= this.#wait_again_ms;
    if (waits) pipeline.wait(wait_replicas, wait_timeout_ms);
    try {
      const work = pipeline.exec();
      const answers = await withDeadline(clock, this.options.command_timeout_ms, "ask redis", work);
      if (waits) this.#readWait(answers?.at(-1)?.[1]);
      // Not the master any more: whoever is will be found by a new connection.
      if (answers?.some(([error]) => error?.message.startsWith("READONLY"))) this.reconnect();
      return answers ?? failed(pipeline.length, new Error("no answer"));
    } catch (error) {
      this.reconnect();
      return failed(pipeline.length, new Error(this.reason(error)));
    }
  }
  /** Without replicas every wait would cost its whole time, so the next ones are left out for a while. */
  #readWait(count: unknown): void {
    if (typeof count !== "number" || count >= this.options.wait_replicas!) return;
    this.#wait_again_ms = this.context.clock.monotonic_ms() + WAIT_PAUSE_MS;
    this.context.onFewReplicas?.(count);
  }
  /** Gives up a connection that no longer answers; a new one is made at once. */
  reconnect(): void {
    // Not `disconnect`: that waits for a peer which by now is known not to answer.
    this.client.stream?.destroy();
  }
  async close(): Promise<void> {
    const { client, context: { clock } } = this;
    this.#closing = true;
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

  /** How long to wait before each further attempt; begins anew after a success. */
  #delays(what: string): (attempt: number) => number {
    const { seed, name } = this.context;
    const backoff = new Backoff(RECONNECT, new Random(`${seed}:${name}:${this.address}:${what}`));
    return (attempt) => {
      if (attempt === 1) backoff.reset();
      return backoff.next_ms();
    };
  }
  #watch(connect_timeout_ms: number): void {
    const log = this.context.log.with({ address: this.address });
    const limited = new RateLimitedLog(log, this.context.clock);
    this.client.on("connect", () => {
      this.#handshake?.cancel();
      this.#handshake = this.context.clock.after(connect_timeout_ms, () => {
        this.#last_error = `no handshake within ${connect_timeout_ms} ms`;
        this.reconnect();
      });
    });
    this.client.on("ready", () => {
      this.#handshake?.cancel();
      this.#last_error = "";
      log.info("connected to redis");
      this.context.onReady();
    });
    this.client.on("close", () => {
      this.#handshake?.cancel();
      if (!this.#closing) limited.warn("close", "connection to redis closed");
    });
    this.client.on("error", (error) => {
      this.#last_error = this.reason(error);
      limited.warn("error", "redis connection failed", { reason: this.#last_error });
    });
  }
}

function failed(count: number, error: Error): RedisAnswer[] {
  return Array.from({ length: count }, () => [error]);
}

const nameOf = ({ host, port }: HostPort) => `${host.includes(":") ? `[${host}]` : host}:${port}`;

function tlsOptions(address: RedisAddress, url: URL, host: string): RedisOptions["tls"] {
  if (url.protocol !== "rediss:") return undefined;
  const { ca, cert, key, server_name } = address.tls ?? {};
  // An address is no server name (RFC 6066): the certificate is then checked against the address itself.
  const servername = server_name ?? (isIP(host) === 0 ? host : undefined);
  return { servername, ca, cert, key };
}
