/**
 * One connection to PostgreSQL that is made again for ever: first within a tenth of a second, then at least every two.
 * Each piece of work has a deadline; past it the connection is given up, so that no write hangs with a hung server.
 * Nothing is queued here: without a connection work is refused at once. Refuses: to log a password.
 */
import type { Client } from "pg";
import { Backoff } from "../../../base/backoff.ts";
import { type Timer, withDeadline } from "../../../base/clock.ts";
import { reasonOf, UserError } from "../../../base/errors.ts";
import { RateLimitedLog } from "../../../base/log.ts";
import { Random } from "../../../base/random.ts";
import type { SinkContext } from "../../sink.ts";
import type { PostgresAddress } from "../../../wire/postgres/address.ts";
import { endPostgresClient, newPostgresClient, streamOf } from "../../../wire/postgres/client.ts";
import { explain } from "./explain.ts";

const RECONNECT = { first_ms: 100, max_ms: 2_000 };

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
    if (client) await endPostgresClient(client, this.context.clock);
  }

  async #connect(): Promise<void> {
    if (this.#attempt || this.#closed) return;
    const { clock, log } = this.context;
    const { connect_timeout_ms, command_timeout_ms, prepare } = this.options;
    const client = this.#attempt = newPostgresClient({ ...this.options, application_name: "mdg" });
    // A broken connection says so here too; unheard it would end the process.
    client.on("error", (error) => this.#giveUp(client, reasonOf(error)));
    client.on("end", () => this.#giveUp(client, "connection closed"));
    try {
      await withDeadline(clock, connect_timeout_ms, "connect", client.connect());
      await withDeadline(clock, command_timeout_ms, "prepare tables", prepare(client));
      if (this.#closed) return await endPostgresClient(client, this.context.clock);
      this.#client = client;
      this.#backoff.reset();
      log.info("connected to postgres", { address: this.options.address.shown });
    } catch (error) {
      this.#why = explain(error, this.options.address);
      this.#log.warn("connect", "postgres is not usable", { reason: this.#why });
      await endPostgresClient(client, this.context.clock);
      this.#reconnectLater();
    } finally {
      this.#attempt = undefined;
    }
    if (this.#client) this.context.writable();
  }
  #giveUp(client: Client, why: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#why = why;
    this.#log.warn("lost", "connection to postgres lost", { reason: why });
    void endPostgresClient(client, this.context.clock);
    this.#reconnectLater();
  }
  #reconnectLater(): void {
    if (this.#closed) return;
    this.#retry?.cancel();
    this.#retry = this.context.clock.after(this.#backoff.next_ms(), () => void this.#connect());
  }
}

/** PostgreSQL itself answered, so the connection is fine. */
export function isServerError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "severity" in error && "code" in error &&
    // FATAL ends the session: shutdown, terminated by an administrator.
    error.severity !== "FATAL" && error.severity !== "PANIC";
}
