/** What is wrong with a PostgreSQL server, in words that say what is wanted instead. */
import { reasonOf } from "../../../base/errors.ts";
import type { PostgresAddress } from "./address.ts";

const WANTED: Readonly<Record<string, string>> = {
  "28P01": "want the right password",
  "28000": "want a user who may log in from here (pg_hba.conf)",
  "3D000": "want an existing database: createdb makes one",
  "3F000": "want an existing schema, or the right to create it",
  "42501": "want a user with the right to create, insert into and read mdg's tables, or their owner",
  "53300": "want a free connection (max_connections)",
  "53100": "want free space on the server's disk",
  "25006": "want a primary, not a read-only standby",
};

export function explain(error: unknown, address: PostgresAddress): string {
  const reason = reasonOf(error) || `connect to ${address.shown}: failed`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return `nobody listens on ${address.host}:${address.port}`;
  const wanted = WANTED[code];
  return wanted ? `${reason}, ${wanted}` : reason;
}
