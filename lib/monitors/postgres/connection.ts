/**
 * The connection that a monitor asks through: made when it is needed, given up when an answer does not come in time, one
 * question at a time. The caller decides when to try again.
 */
import type { Client } from "pg";
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { PostgresAddress } from "../../wire/postgres/address.ts";
import { endPostgresClient, newPostgresClient } from "../../wire/postgres/client.ts";
import { explain } from "../../wire/postgres/explain.ts";

export interface MonitorConnectionOptions {
  readonly address: PostgresAddress;
  readonly password?: string;
  readonly ca?: string;
  readonly timeout_ms: number;
  readonly clock: Clock;
}

export class MonitorConnection {
  #client: Client | undefined;
  #attempt: Client | undefined;
  /** Of the server that is connected: 150020. */
  version_num = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly options: MonitorConnectionOptions) {}

  /** `work` alone with a connected client, all within the deadline. Rejects with a reason for people. */
  async with<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#with(what, work));
    this.#turn = turn.catch(() => {});
    return await turn;
  }
  async close(): Promise<void> {
    await this.#letGo();
  }

  async #with<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { clock, timeout_ms, address } = this.options;
    const connectAndWork = async () => await work(this.#client ?? await this.#connect());
    try {
      return await withDeadline(clock, timeout_ms, what, connectAndWork());
    } catch (error) {
      const is_servers = error instanceof Error && "severity" in error && error.severity === "ERROR";
      // A transaction that failed may still be open, and one that hangs is of no use: both end with the connection.
      void this.#letGo();
      throw new Error(is_servers ? `${what}: ${reasonOf(error)}` : explain(error, address), { cause: error });
    }
  }
  async #connect(): Promise<Client> {
    const client = this.#attempt = newPostgresClient({
      ...this.options,
      connect_timeout_ms: this.options.timeout_ms,
      application_name: "mdg monitor",
    });
    // Unheard they would end the process; what they say is asked for by the next look.
    client.on("error", () => this.#giveUp(client));
    client.on("end", () => this.#giveUp(client));
    await client.connect();
    const { rows: [{ version_num }] } = await client.query(
      "SELECT current_setting('server_version_num')::int AS version_num",
    );
    if (this.#attempt !== client) throw new Error("connection was given up");
    this.version_num = Number(version_num);
    this.#attempt = undefined;
    return this.#client = client;
  }
  async #letGo(): Promise<void> {
    const client = this.#client ?? this.#attempt;
    this.#client = this.#attempt = undefined;
    if (client) await endPostgresClient(client, this.options.clock);
  }
  #giveUp(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void endPostgresClient(client, this.options.clock);
  }
}
