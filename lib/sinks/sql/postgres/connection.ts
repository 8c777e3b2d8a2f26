/**
 * One connection to PostgreSQL that is made again for ever: first within a tenth of a second, then at least every two.
 * Each piece of work has a deadline; past it the connection is given up, so that no write hangs with a hung server.
 * Nothing is queued here: without a connection work is refused at once. Refuses: to log a password.
 */
import { Client } from "pg";
import { Backoff } from "../../../base/backoff.ts";
import { type Timer, withDeadline } from "../../../base/clock.ts";
import { reasonOf, UserError } from "../../../base/errors.ts";
import { RateLimitedLog } from "../../../base/log.ts";
import { Random } from "../../../base/random.ts";
import type { SinkContext } from "../../sink.ts";
import type { PostgresAddress } from "./address.ts";
import { explain } from "./explain.ts";

const RECONNECT = { first_ms: 100, max_ms: 2_000 };
const END_DEADLINE_MS = 1_000;

export interface ConnectionOptions {
  readonly address: PostgresAddress;
  readonly password?: string;
  readonly ca?: string;
  readonly connect_timeout_ms: number;
  readonly command_timeout_ms: number;
  /** Makes a fresh connection fit for use: tables and partitions are looked after here. */
  prepare(client: Client): Promise<void>;
}

export class PostgresConnection {
  #client: Client | undefined;
  /** Being connected; not yet fit for work. */
  #attempt: Client | undefined;
  #closed = false;
  #retry: Timer | undefined;
  #why = "not connected yet";
  /** Transactions of a write and of the hourly maintenance must not mix. */
  #turn: Promise<void> = Promise.resolve();
  readonly #backoff: Backoff;
  readonly #log: RateLimitedLog;

  constructor(readonly options: ConnectionOptions, readonly context: SinkContext) {
    this.#backoff = new Backoff(RECONNECT, new Random(`${context.seed}:${context.name}:reconnect`));
    this.#log = new RateLimitedLog(context.log.with({ address: options.address.shown }), context.clock);
    void this.#connect();
  }
  notReady(): string | undefined {
    if (this.#client) return undefined;
    return `${this.options.address.shown} is not connected: ${this.#why}`;
  }
  /** `work` within one transaction. Rejects with the server's error, or with another after which the connection is gone. */
  async transaction(what: string, work: (client: Client) => Promise<void>): Promise<void> {
    await this.alone(what, async (client) => {
      await client.query("BEGIN");
      try {
        await work(client);
        await client.query("COMMIT");
      } catch (error) {
        if (this.#client === client) await client.query("ROLLBACK").catch(() => {});
        throw error;
      }
    });
  }
  /** `work` with a deadline; callers do not overlap. */
  async alone(what: string, work: (client: Client) => Promise<void>): Promise<void> {
    const turn = this.#turn.then(async () => {
      const client = this.#client;
      if (!client) throw new Error(this.notReady());
      const { clock } = this.context;
      try {
        await withDeadline(clock, this.options.command_timeout_ms, what, work(client));
      } catch (error) {
        if (!isServerError(error) && !(error instanceof UserError)) this.#giveUp(client, reasonOf(error));
        throw error;
      }
    });
    this.#turn = turn.catch(() => {});
    return await turn;
  }
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    const client = this.#client;
    this.#client = undefined;
    // An attempt at a silent host would hold the exit up for its whole deadline.
    if (this.#attempt) streamOf(this.#attempt).destroy(new Error("closed"));
    if (client) await this.#end(client);
  }

  async #connect(): Promise<void> {
    if (this.#attempt || this.#closed) return;
    const { clock, log } = this.context;
    const { connect_timeout_ms, command_timeout_ms, prepare } = this.options;
    const client = this.#attempt = this.#newClient();
    // A broken connection says so here too; unheard it would end the process.
    client.on("error", (error) => this.#giveUp(client, reasonOf(error)));
    client.on("end", () => this.#giveUp(client, "connection closed"));
    try {
      await withDeadline(clock, connect_timeout_ms, "connect", client.connect());
      await withDeadline(clock, command_timeout_ms, "prepare tables", prepare(client));
      if (this.#closed) return await this.#end(client);
      this.#client = client;
      this.#backoff.reset();
      log.info("connected to postgres", { address: this.options.address.shown });
    } catch (error) {
      this.#why = explain(error, this.options.address);
      this.#log.warn("connect", "postgres is not usable", { reason: this.#why });
      await this.#end(client);
      this.#reconnectLater();
    } finally {
      this.#attempt = undefined;
    }
    if (this.#client) this.context.writable();
  }
  #newClient(): Client {
    const { address, password, ca, connect_timeout_ms } = this.options;
    const { host, port, user, database, ssl_mode } = address;
    return new Client({
      host,
      port,
      user,
      database,
      password: password ?? address.password,
      ssl: sslOptions(ssl_mode, ca),
      connectionTimeoutMillis: connect_timeout_ms,
      keepAlive: true,
      application_name: "mdg",
    });
  }
  #giveUp(client: Client, why: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#why = why;
    this.#log.warn("lost", "connection to postgres lost", { reason: why });
    void this.#end(client);
    this.#reconnectLater();
  }
  #reconnectLater(): void {
    if (this.#closed) return;
    this.#retry?.cancel();
    this.#retry = this.context.clock.after(this.#backoff.next_ms(), () => void this.#connect());
  }
  /** Says goodbye if the other side listens, and lets go in any case. */
  async #end(client: Client): Promise<void> {
    try {
      await withDeadline(this.context.clock, END_DEADLINE_MS, "disconnect", client.end());
    } catch {
      // The peer is gone or hangs.
    } finally {
      streamOf(client).destroy();
    }
  }
}

/** The client's socket, which its types do not list: `end` alone waits for a peer that may be gone. */
function streamOf(client: Client): { destroy(error?: Error): void } {
  return (client as unknown as { connection: { stream: { destroy(error?: Error): void } } }).connection
    .stream;
}

/** PostgreSQL itself answered, so the connection is fine. */
export function isServerError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "severity" in error && "code" in error &&
    // FATAL ends the session: shutdown, terminated by an administrator.
    error.severity !== "FATAL" && error.severity !== "PANIC";
}

function sslOptions(mode: PostgresAddress["ssl_mode"], ca: string | undefined) {
  if (mode === "disable") return undefined;
  return mode === "require" ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ca };
}
