/** PostgreSQL with its spool, as a config says: what can be told wrong before the server answers is told here. */
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { SqlConfig } from "../sql.ts";
import type { SinkContext } from "../sink.ts";
import { readPostgresUrl } from "../../wire/postgres/address.ts";
import { PostgresDatabase } from "./postgres/database.ts";
import { Spool } from "./spool/spool.ts";
import type { TableName } from "./tables.ts";
import { SpooledDatabase } from "./spooled_database.ts";

/** Rejects with a UserError when the spool or the certificate file can't be used; the server may be away. */
export async function openPostgres(
  config: SqlConfig,
  context: SinkContext,
  onRefused: (table: TableName, count: number) => void,
): Promise<SpooledDatabase> {
  const { metrics, name } = context;
  const ca = config.ca_file === undefined ? undefined : await readCertificate(config.ca_file);
  const dropped = metrics.counter(
    "sql_spool_dropped_rows_total",
    "Rows lost because the spool was full or damaged",
    [
      "sink",
      "table",
    ],
  );
  const database = new PostgresDatabase({
    address: readPostgresUrl(config.url)!,
    password: config.password,
    ca,
    connect_timeout_ms: config.connect_timeout_ms,
    command_timeout_ms: config.command_timeout_ms,
    schema: config.schema,
    partitions_ahead_days: config.partitions_ahead_days,
    retention_days: config.retention_days,
    onRefused,
  }, context);
  try {
    const spool = await Spool.open({
      ...config.spool,
      address: database.address,
      log: context.log,
      onDropped: (table, count) => dropped.with(name, table).value += count,
    });
    watchSpool(spool, context);
    return new SpooledDatabase(database, spool, context);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

function watchSpool(spool: Spool, { metrics, name }: SinkContext): void {
  const rows = metrics.gauge("sql_spool_rows", "Rows that wait in the spool", ["sink"]).with(name);
  const bytes = metrics.gauge("sql_spool_bytes", "Size of the spool", ["sink"]).with(name);
  metrics.onCollect(() => {
    rows.value = spool.count;
    bytes.value = spool.bytes;
  });
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UserError(`read ca_file ${quoted(path, 200)}: ${reasonOf(error)}`, { cause: error });
  }
}
