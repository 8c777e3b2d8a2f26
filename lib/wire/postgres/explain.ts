/** What is wrong with a PostgreSQL server, in words that say what is wanted instead. */
import { reasonOf } from "../../base/errors.ts";
import type { PostgresAddress } from "./address.ts";

const WANTED: Readonly<Record<string, string>> = {
  "28P01": "want the right password",
  "28000": "want a user who may log in from here (pg_hba.conf)",
  "3D000": "want an existing database: createdb makes one",
  "53300": "want a free connection (max_connections)",
};

/** `wanted`: by SQLSTATE, what a particular use wants besides. */
export function explain(
  error: unknown,
  address: PostgresAddress,
  wanted: Readonly<Record<string, string>> = {},
): string {
  const reason = reasonOf(error) || `connect to ${address.shown}: failed`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return `nobody listens on ${address.host}:${address.port}`;
  const want = wanted[code] ?? WANTED[code];
  return want ? `${reason}, ${want}` : reason;
}
