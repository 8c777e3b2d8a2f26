/**
 * PostgreSQL as a database of rows. A batch goes by COPY straight into the tables, twice as fast as through a staging
 * table (tests/bench/sql_sink_bench.ts). When a row is there already (a write whose answer was lost, a second producer)
 * COPY refuses the batch: then it goes by a staging table and ON CONFLICT DO NOTHING, and so for a while the next ones.
 */
import type { Client } from "pg";
import type { Timer } from "../../../base/clock.ts";
import { UserError } from "../../../base/errors.ts";
import { RateLimitedLog } from "../../../base/log.ts";
import type { SinkContext } from "../../sink.ts";
import { daysOf } from "../copy_text.ts";
import type { Database, RowGroup } from "../database.ts";
import { type TableName, tableOf } from "../tables.ts";
import { copyRows } from "./copy_rows.ts";
import { type ConnectionOptions, isServerError, PostgresConnection } from "./connection.ts";
import { explain } from "./explain.ts";
import { dayOf, Partitions } from "./partitions.ts";
import { migrate, quoteIdent } from "./schema.ts";

/** Batches after a conflict that go by the staging table at once: where two producers write, all of them conflict. */
const STAGED_AFTER_CONFLICT = 64;
const MAINTENANCE_MS = 3_600_000;
const DAY_MS = 86_400_000;

const UNIQUE_VIOLATION = "23505";
/** A row for which there is no partition. */
const CHECK_VIOLATION = "23514";
/** The row itself is at fault: bad data, out of range, a constraint. */
const DATA_FAULT = /^(22|23)/;

export interface PostgresOptions extends Omit<ConnectionOptions, "prepare"> {
  readonly schema: string;
  readonly partitions_ahead_days: number;
  readonly retention_days: number | undefined;
  onRefused(table: TableName, count: number): void;
}

export class PostgresDatabase implements Database {
  readonly address: string;
  readonly #connection: PostgresConnection;
  readonly #partitions: Partitions;
  readonly #log: RateLimitedLog;
  readonly #maintenance: Timer;
  #staged_left = 0;

  constructor(readonly options: PostgresOptions, readonly context: SinkContext) {
    const { address, schema } = options;
    this.address = `${address.shown}${address.shown.endsWith("/") ? "" : "/"}${schema}`;
    this.#partitions = new Partitions(schema);
    this.#log = new RateLimitedLog(context.log, context.clock);
    this.#connection = new PostgresConnection(
      { ...options, prepare: (client) => this.#prepare(client) },
      context,
    );
    this.#maintenance = context.clock.every(MAINTENANCE_MS, () => void this.#maintain());
  }
  notReady(): string | undefined {
    return this.#connection.notReady();
  }
  async write(groups: readonly RowGroup[]): Promise<void> {
    try {
      await this.#write(groups);
    } catch (error) {
      const is_data_fault = error instanceof UserError ||
        (isServerError(error) && DATA_FAULT.test(error.code));
      if (!is_data_fault) {
        throw isServerError(error)
          ? new Error(explain(error, this.options.address), { cause: error })
          : error;
      }
      await this.#writeWithout(groups, error);
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#maintenance.cancel();
    await this.#connection.close();
  }

  async #write(groups: readonly RowGroup[]): Promise<void> {
    await this.#ensureDays(groups);
    if (this.#staged_left > 0) {
      this.#staged_left--;
      return await this.#writeStaged(groups);
    }
    try {
      await this.#connection.transaction("write rows", async (client) => {
        for (const { table, rows } of groups) await copyInto(client, this.#target(table), table, rows);
      });
    } catch (error) {
      const code = isServerError(error) ? error.code : "";
      if (code === CHECK_VIOLATION) {
        // Somebody dropped a day we believed to be there.
        this.#partitions.forget();
        await this.#ensureDays(groups);
      } else if (code === UNIQUE_VIOLATION) this.#staged_left = STAGED_AFTER_CONFLICT;
      else throw error;
      await this.#writeStaged(groups);
    }
  }
  async #writeStaged(groups: readonly RowGroup[]): Promise<void> {
    await this.#connection.transaction("write rows", async (client) => {
      for (const { table, rows } of groups) {
        const staging = quoteIdent(`mdg_staging_${table}`);
        const target = this.#target(table);
        await client.query(
          `CREATE TEMP TABLE IF NOT EXISTS ${staging} (LIKE ${target}) ON COMMIT DELETE ROWS`,
        );
        await copyInto(client, `pg_temp.${staging}`, table, rows);
        await client.query(
          `INSERT INTO ${target} SELECT * FROM pg_temp.${staging} ON CONFLICT DO NOTHING`,
        );
      }
    });
  }
  /** Halves the batch until the rows at fault are alone; those are left out, counted and told. */
  async #writeWithout(groups: readonly RowGroup[], error: Error): Promise<void> {
    const parts = halves(groups);
    if (parts === undefined) {
      const [{ table, rows, count }] = groups;
      this.options.onRefused(table, count);
      this.#log.warn("refused", "postgres refused a row", {
        table,
        reason: error.message,
        row: rows.slice(0, 200),
      });
      return;
    }
    for (const part of parts) await this.write(part);
  }
  async #ensureDays(groups: readonly RowGroup[]): Promise<void> {
    const wanted = new Map(groups.map(({ table, rows }) => [table, daysOf(rows)]));
    if ([...wanted].every(([table, days]) => this.#partitions.has(table, days))) return;
    await this.#connection.alone("create partitions", (client) => this.#partitions.ensure(client, wanted));
  }
  async #prepare(client: Client): Promise<void> {
    await migrate(client, this.options.schema);
    await this.#partitions.read(client);
    await this.#partitions.ensureAhead(
      client,
      this.context.clock.now_ms(),
      this.options.partitions_ahead_days,
    );
    await this.#dropExpired(client);
  }
  async #maintain(): Promise<void> {
    if (this.notReady() !== undefined) return;
    const { clock } = this.context;
    try {
      await this.#connection.alone("look after partitions", async (client) => {
        await this.#partitions.ensureAhead(client, clock.now_ms(), this.options.partitions_ahead_days);
        await this.#dropExpired(client);
      });
    } catch (error) {
      this.#log.warn("maintain", "partitions not looked after", {
        reason: explain(error, this.options.address),
      });
    }
  }
  async #dropExpired(client: Client): Promise<void> {
    const { retention_days } = this.options;
    if (retention_days === undefined) return;
    const first_day = dayOf(this.context.clock.now_ms() - retention_days * DAY_MS);
    try {
      const dropped = await this.#partitions.dropBefore(client, first_day);
      if (dropped.length > 0) {
        this.context.log.info("days past the retention dropped", { partitions: dropped });
      }
    } catch (error) {
      // A reader holds it, or we don't own it: the next round tries again, rows are written all the same.
      this.#log.warn("retention", "days past the retention not dropped", {
        reason: explain(error, this.options.address),
      });
    }
  }
  #target(table: TableName): string {
    return `${quoteIdent(this.options.schema)}.${quoteIdent(table)}`;
  }
}

async function copyInto(client: Client, target: string, table: TableName, rows: string): Promise<void> {
  const columns = tableOf(table).columns.map(({ name }) => quoteIdent(name)).join(", ");
  await copyRows(client, `${target} (${columns})`, rows);
}

/** Two parts of about half the rows each; undefined when there is one row. */
function halves(groups: readonly RowGroup[]): [RowGroup[], RowGroup[]] | undefined {
  if (groups.length > 1) {
    const middle = groups.length >> 1;
    return [groups.slice(0, middle), groups.slice(middle)];
  }
  const [{ table, rows, count }] = groups;
  if (count <= 1) return undefined;
  const lines = rows.split("\n").slice(0, -1);
  const middle = lines.length >> 1;
  const part = (of: string[]): RowGroup => ({
    table,
    rows: of.map((line) => `${line}\n`).join(""),
    count: of.length,
  });
  return [[part(lines.slice(0, middle))], [part(lines.slice(middle))]];
}
