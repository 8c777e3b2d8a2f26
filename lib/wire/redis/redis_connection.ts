/**
 * One connection to one Redis. ioredis finds the server (Sentinels), lets itself in (TLS, user, database) and connects
 * again for ever, first within 100 ms, then at least once a second; then its socket is taken over by a `RespExchange`,
 * which is three times as fast and never sends anything again by itself. Subscriptions keep the client. The password
 * never reaches a log line.
 */
import { isIP } from "node:net";
import { Redis, type RedisOptions } from "ioredis";
import { Backoff } from "../../base/backoff.ts";
import { type Timer, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import type { RedisAddress, RedisAnswer, RedisContext, RedisItem, RedisLink } from "./redis_link.ts";
import { failed, RespExchange } from "./resp_exchange.ts";
import { RespWriter } from "./resp_writer.ts";

const RECONNECT = { first_ms: 100, max_ms: 1_000 };
const CLOSE_DEADLINE_MS = 1_000;
const WAIT_PAUSE_MS = 1_000;
const MAX_FIRST_BYTES = 4 * 1024 * 1024;
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

export interface RedisConnectionOptions {
  /** This node of a Cluster instead of the URL's host. */
  readonly node?: HostPort;
  /** The user speaks through `client` itself (subscriptions), not by `send`. */
  readonly keeps_client?: boolean;
}

export class RedisConnection implements RedisLink {
  readonly client: Redis;
  /** For people: "127.0.0.1:6379", without credentials. */
  readonly address: string;
  readonly #secrets: readonly string[];
  #exchange: RespExchange | undefined;
  #wait_again_ms = 0;
  #closing = false;
  /** What the last batch took: where the next one begins. */
  #batch_bytes = 4_096;
  #last_error = "";
  /** Runs from connected to ready: the client's own deadline ends with the TCP connection. */
  #handshake: Timer | undefined;

  constructor(
    readonly options: RedisAddress,
    readonly context: RedisContext,
    readonly connection: RedisConnectionOptions = {},
  ) {
    const url = new URL(options.url);
    const start = connection.node ?? hostPortOf(url.host);
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
    return this.connection.keeps_client ? this.client.status === "ready" : this.#exchange !== undefined;
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
  readonly slots: readonly number[] = [0];
  async send<Item extends RedisItem>(
    items: readonly Item[],
    append: (commands: RespWriter, item: Item) => void,
  ): Promise<RedisAnswer[]> {
    const commands = this.begin();
    for (const item of items) append(commands, item);
    return await this.exec(commands);
  }
  /** For the commands of an `exec`; as large as the last one. */
  begin(): RespWriter {
    return new RespWriter(this.#batch_bytes);
  }
  /** The answer to each command. Never rejects. */
  async exec(commands: RespWriter): Promise<RedisAnswer[]> {
    const exchange = this.#exchange;
    if (!exchange) return failed(commands.count, new Error(this.notReady() ?? "not connected"));
    const { wait_replicas = 0, wait_timeout_ms = 100, command_timeout_ms } = this.options;
    const { clock } = this.context;
    const { count } = commands;
    const waits = wait_replicas > 0 && clock.monotonic_ms() >= this.#wait_again_ms;
    if (waits) commands.command("WAIT", wait_replicas, wait_timeout_ms);
    this.#batch_bytes = Math.min(MAX_FIRST_BYTES, commands.bytes.length + 4_096);
    const late = clock.after(command_timeout_ms, () => {
      exchange.end(new Error(`ask redis: no answer within ${command_timeout_ms} ms`));
      this.reconnect();
    });
    const answers = await exchange.send(commands);
    late.cancel();
    if (waits) this.#readWait(answers.pop()?.[1]);
    // Not the master any more: whoever is will be found by a new connection.
    if (answers.some(([error]) => error?.message.startsWith("READONLY"))) this.reconnect();
    return answers.length === count ? answers : failed(count, new Error("no answer"));
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
    this.#exchange?.end(new Error("closed by ourselves"));
    client.disconnect();
    if (connected) await withDeadline(clock, CLOSE_DEADLINE_MS, "disconnect", ended).catch(() => {});
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
      if (this.connection.keeps_client) this.#begin(log);
      else void this.#takeOver(log);
    });
    this.client.on("close", () => {
      this.#exchange = undefined;
      this.#handshake?.cancel();
      if (!this.#closing) limited.warn("close", "connection to redis closed");
    });
    this.client.on("error", (error) => {
      this.#last_error = this.reason(error);
      limited.warn("error", "redis connection failed", { reason: this.#last_error });
    });
  }
  /** Once nothing of the client's own is on its way any more. */
  async #takeOver(log: Log): Promise<void> {
    const { stream } = this.client;
    // Answers come in order: after this one there is none that the client waits for. Forbidden is an answer too.
    await this.client.ping().catch(() => {});
    if (this.client.stream !== stream || stream.destroyed) return;
    stream.removeAllListeners("data");
    this.#exchange = new RespExchange(stream);
    this.#begin(log);
  }
  #begin(log: Log): void {
    this.#handshake?.cancel();
    this.#last_error = "";
    log.info("connected to redis");
    this.context.onReady();
  }
}

const nameOf = ({ host, port }: HostPort) => `${host.includes(":") ? `[${host}]` : host}:${port}`;

function tlsOptions(address: RedisAddress, url: URL, host: string): RedisOptions["tls"] {
  if (url.protocol !== "rediss:") return undefined;
  const { ca, cert, key, server_name } = address.tls ?? {};
  // An address is no server name (RFC 6066): the certificate is then checked against the address itself.
  const servername = server_name ?? (isIP(host) === 0 ? host : undefined);
  return { servername, ca, cert, key };
}
