/** What is wrong with PostgreSQL where the tables of the sink `sql` are to be, in words that say what is wanted. */
import type { PostgresAddress } from "../../../wire/postgres/address.ts";
import * as postgres from "../../../wire/postgres/explain.ts";

const WANTED: Readonly<Record<string, string>> = {
  "3F000": "want an existing schema, or the right to create it",
  "42501": "want a user with the right to create, insert into and read mdg's tables, or their owner",
  "53100": "want free space on the server's disk",
  "25006": "want a primary, not a read-only standby",
};

export function explain(error: unknown, address: PostgresAddress): string {
  return postgres.explain(error, address, WANTED);
}
