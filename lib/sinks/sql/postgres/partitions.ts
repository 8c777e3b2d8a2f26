/**
 * One partition per table and UTC day, made before the first row of the day comes: some days ahead at start and every
 * hour, and at once for rows of any other day (a recording, late data). Days past the retention are dropped whole.
 * Attaching leaves readers and writers of the other days alone; dropping gives way when somebody reads (lock_timeout).
 */
import type { Client } from "pg";
import { UserError } from "../../../base/errors.ts";
import { type TableName, TABLES } from "../tables.ts";
import { lockSchema, quoteIdent } from "./schema.ts";

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;
/** Ten years of days; wild timestamps must not fill the catalogue. */
const MAX_DAYS = 4_000;
const DROP_LOCK_TIMEOUT_MS = 2_000;

/** "2024-08-08" of a time. */
export const dayOf = (time_ms: number) => new Date(time_ms).toISOString().slice(0, 10);

export class Partitions {
  /** Table → days that have a partition, as far as is known. */
  readonly #days = new Map<TableName, Set<string>>();

  constructor(readonly schema: string) {}

  /** True when every day of the table has its partition, to our knowledge. */
  has(table: TableName, days: Iterable<string>): boolean {
    const known = this.#days.get(table);
    return known !== undefined && [...days].every((day) => known.has(day));
  }
  /** Asks the catalogue what there is. */
  async read(client: Client): Promise<void> {
    this.#days.clear();
    const { rows } = await client.query(
      "SELECT parent.relname AS table_name, part.relname AS part_name FROM pg_inherits " +
        "JOIN pg_class part ON part.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent " +
        "JOIN pg_namespace n ON n.oid = parent.relnamespace WHERE n.nspname = $1",
      [this.schema],
    );
    for (const { name } of TABLES) {
      const days = rows.filter((row) => row.table_name === name)
        .map((row) => dayOfPartition(name, row.part_name)).filter((day) => day !== undefined);
      this.#days.set(name, new Set(days));
    }
  }
  /** Makes the missing ones, in a transaction of its own. */
  async ensure(client: Client, wanted: ReadonlyMap<TableName, Iterable<string>>): Promise<void> {
    const missing = [...wanted].map(([table, days]) =>
      [table, [...days].filter((day) => !this.has(table, [day]))] as const
    ).filter(([, days]) => days.length > 0);
    if (missing.length === 0) return;
    await client.query("BEGIN");
    try {
      await lockSchema(client, this.schema);
      await this.read(client);
      for (const [table, days] of missing) {
        for (const day of days) if (!this.has(table, [day])) await this.#create(client, table, day);
      }
      await client.query("COMMIT");
    } catch (error) {
      this.#days.clear();
      await client.query("ROLLBACK").catch(() => {});
      throw error;
    }
  }
  /** Today's and the next `ahead_days` days' partitions of every table. */
  async ensureAhead(client: Client, now_ms: number, ahead_days: number): Promise<void> {
    const days = Array.from({ length: ahead_days + 1 }, (_, i) => dayOf(now_ms + i * DAY_MS));
    await this.ensure(client, new Map(TABLES.map(({ name }) => [name, days])));
  }
  /** Drops the days before `first_day`; returns their names. */
  async dropBefore(client: Client, first_day: string): Promise<string[]> {
    const dropped: string[] = [];
    for (const [table, days] of this.#days) {
      for (const day of [...days].filter((day) => day < first_day)) {
        await client.query("BEGIN");
        try {
          await lockSchema(client, this.schema);
          await client.query(`SET LOCAL lock_timeout = ${DROP_LOCK_TIMEOUT_MS}`);
          await client.query(`DROP TABLE IF EXISTS ${this.#partition(table, day)}`);
          await client.query("COMMIT");
        } catch (error) {
          await client.query("ROLLBACK").catch(() => {});
          throw error;
        }
        days.delete(day);
        dropped.push(partitionName(table, day));
      }
    }
    return dropped;
  }
  /** What is known may be wrong (another process dropped a day): look again next time. */
  forget(): void {
    this.#days.clear();
  }

  async #create(client: Client, table: TableName, day: string): Promise<void> {
    const days = this.#days.get(table)!;
    if (!DAY.test(day) || days.size >= MAX_DAYS) {
      throw new UserError(
        `create partition of "${table}" for ${JSON.stringify(day)}: ` +
          (DAY.test(day) ? `there are ${days.size} days already` : "want a day of the years 0000 to 9999"),
      );
    }
    const parent = `${quoteIdent(this.schema)}.${quoteIdent(table)}`;
    const partition = this.#partition(table, day);
    const next = dayOf(Date.parse(day) + DAY_MS);
    // Made first, attached then: that takes no lock that would stop anybody else.
    await client.query(`CREATE TABLE IF NOT EXISTS ${partition} (LIKE ${parent} INCLUDING DEFAULTS)`);
    await client.query(
      `ALTER TABLE ${parent} ATTACH PARTITION ${partition} FOR VALUES FROM ('${day}T00:00Z') TO ('${next}T00:00Z')`,
    );
    days.add(day);
  }
  #partition(table: TableName, day: string): string {
    return `${quoteIdent(this.schema)}.${quoteIdent(partitionName(table, day))}`;
  }
}

function partitionName(table: TableName, day: string): string {
  return `${table}_${day.replaceAll("-", "")}`;
}

/** Undefined for a partition that somebody else made under another name. */
function dayOfPartition(table: TableName, name: string): string | undefined {
  const match = /^_(\d{4})(\d\d)(\d\d)$/.exec(name.slice(table.length));
  return name.startsWith(table) && match ? `${match[1]}-${match[2]}-${match[3]}` : undefined;
}
