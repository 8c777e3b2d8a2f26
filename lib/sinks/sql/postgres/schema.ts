/**
 * mdg's tables in PostgreSQL: made and brought up to date by version, under a lock, so that several starters at once make
 * one schema. Each version is a list of statements that is never changed once released; a new need is a new version.
 * Refuses: to touch a schema newer than it knows, and to need any right but SELECT when the version fits.
 */
import type { Client } from "pg";
import { UserError } from "../../../base/errors.ts";
import { type Column, type ColumnType, type Table, TABLES } from "../tables.ts";

const TYPES: Readonly<Record<ColumnType, string>> = {
  time: "timestamptz",
  // Keys compare as bytes, whatever the language of the database.
  text: 'text COLLATE "C"',
  integer: "bigint",
  decimal: "numeric",
  boolean: "boolean",
  levels: "numeric[][]",
};
/** Any number that nobody else takes; with the schema's own id it is one lock per schema. */
const LOCK_KEY = 0x6d_64_67;

export const quoteIdent = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Statements of version 1, 2, …; run with `search_path` set to the schema. */
export const MIGRATIONS: readonly (readonly string[])[] = [TABLES.map(createTable)];

function createTable({ name, columns, key }: Table): string {
  const definitions = columns.map(({ name, type, optional }: Column) =>
    `${quoteIdent(name)} ${TYPES[type]}${optional ? "" : " NOT NULL"}`
  );
  const primary_key = `PRIMARY KEY (${key.map(quoteIdent).join(", ")})`;
  return `CREATE TABLE ${quoteIdent(name)} (${
    [...definitions, primary_key].join(", ")
  }) PARTITION BY RANGE ("time")`;
}

/** Brings the schema to the newest version. Rejects with a UserError when it is newer than `migrations`. */
export async function migrate(client: Client, schema: string, migrations = MIGRATIONS): Promise<void> {
  const found = await versionOf(client, schema);
  if (found === migrations.length) return;
  if (found > migrations.length) throw newer(schema, found, migrations.length);
  await client.query("BEGIN");
  try {
    await lockSchema(client, schema);
    // Only where it is missing: the statement needs a right that an existing schema does not.
    const { rowCount } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]);
    if (rowCount === 0) await client.query(`CREATE SCHEMA ${quoteIdent(schema)}`);
    await client.query(`SET LOCAL search_path TO ${quoteIdent(schema)}`);
    await client.query(
      "CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    // Another starter may have been faster.
    const version = await versionOf(client, schema);
    if (version > migrations.length) throw newer(schema, version, migrations.length);
    for (let next = version; next < migrations.length; next++) {
      for (const statement of migrations[next]) await client.query(statement);
      await client.query("INSERT INTO schema_version (version) VALUES ($1)", [next + 1]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** Held until the end of the transaction: one process at a time changes tables and partitions. */
export async function lockSchema(client: Client, schema: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [LOCK_KEY, schema]);
}

async function versionOf(client: Client, schema: string): Promise<number> {
  const table = `${quoteIdent(schema)}.schema_version`;
  const { rows: [{ found }] } = await client.query("SELECT to_regclass($1) IS NOT NULL AS found", [table]);
  if (!found) return 0;
  const { rows: [{ version }] } = await client.query(
    `SELECT coalesce(max(version), 0) AS version FROM ${table}`,
  );
  return Number(version);
}

function newer(schema: string, version: number, known: number): UserError {
  return new UserError(
    `use schema ${
      JSON.stringify(schema)
    }: its version is ${version}, this mdg knows up to ${known}, want a newer mdg`,
  );
}
