/**
 * mdg's tables in an SQLite file, by version as in PostgreSQL. Rows lie in the order of their time, so new ones go to the
 * end and old ones leave from the front. A decimal of up to 15 digits is a REAL, which gives it back unchanged
 * (base/decimal.ts); a longer one is TEXT, digit for digit. Times are TEXT as SQLite's own functions read them.
 */
import type { DatabaseSync } from "node:sqlite";
import { UserError } from "../../../base/errors.ts";
import { type ColumnType, type Table, TABLES } from "../tables.ts";

const TYPES: Readonly<Record<ColumnType, string>> = {
  time: "TEXT",
  text: "TEXT",
  integer: "INTEGER",
  // No conversion at all: what is bound is what is kept.
  decimal: "ANY",
  boolean: "INTEGER",
  // A JSON array of [price, quantity].
  levels: "TEXT",
};

export const MIGRATIONS: readonly (readonly string[])[] = [TABLES.map(createTable)];

function createTable({ name, columns, key }: Table): string {
  const definitions = columns.map(({ name, type, optional }) =>
    `"${name}" ${TYPES[type]}${optional ? "" : " NOT NULL"}`
  );
  const by_time = ["time", ...key.filter((column) => column !== "time")];
  const primary_key = `PRIMARY KEY (${by_time.map((column) => `"${column}"`).join(", ")})`;
  return `CREATE TABLE "${name}" (${[...definitions, primary_key].join(", ")}) STRICT, WITHOUT ROWID`;
}

/** Throws a UserError when the file is newer than `migrations`. */
export function migrate(database: DatabaseSync, migrations = MIGRATIONS): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    database.exec(
      "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL DEFAULT current_timestamp) STRICT",
    );
    const row = database.prepare("SELECT coalesce(max(version), 0) AS version FROM schema_version").get();
    const version = Number(row?.version);
    if (version > migrations.length) {
      throw new UserError(
        `its schema version is ${version}, this mdg knows up to ${migrations.length}, want a newer mdg`,
      );
    }
    for (let next = version; next < migrations.length; next++) {
      for (const statement of migrations[next]) database.exec(statement);
      database.prepare("INSERT INTO schema_version (version) VALUES (?)").run(next + 1);
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
