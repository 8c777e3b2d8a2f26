/** A client of PostgreSQL as everything here uses one: encrypted as the address says, let go of even when the peer hangs. */
import { Client } from "pg";
import { type Clock, withDeadline } from "../../base/clock.ts";
import type { PostgresAddress } from "./address.ts";

const END_DEADLINE_MS = 1_000;

export interface PostgresClientOptions {
  readonly address: PostgresAddress;
  /** It wins over the one in the address. */
  readonly password?: string;
  /** Authorities to trust, PEM. */
  readonly ca?: string;
  readonly connect_timeout_ms: number;
  readonly application_name: string;
}

/** Not connected yet. Its `error` events must be heard: an unheard one ends the process. */
export function newPostgresClient(options: PostgresClientOptions): Client {
  const { address, password, ca, connect_timeout_ms, application_name } = options;
  const { host, port, user, database, ssl_mode } = address;
  return new Client({
    host,
    port,
    user,
    database,
    password: password ?? address.password,
    ssl: sslOptions(ssl_mode, ca),
    connectionTimeoutMillis: connect_timeout_ms,
    keepAlive: true,
    application_name,
  });
}

/** Says goodbye if the other side listens, and lets go in any case. */
export async function endPostgresClient(client: Client, clock: Clock): Promise<void> {
  try {
    await withDeadline(clock, END_DEADLINE_MS, "disconnect", client.end());
  } catch {
    // The peer is gone or hangs.
  } finally {
    streamOf(client).destroy();
  }
}

/** The client's socket, which its types do not list: `end` alone waits for a peer that may be gone. */
export function streamOf(client: Client): { destroy(error?: Error): void } {
  return (client as unknown as { connection: { stream: { destroy(error?: Error): void } } }).connection
    .stream;
}

function sslOptions(mode: PostgresAddress["ssl_mode"], ca: string | undefined) {
  if (mode === "disable") return undefined;
  return mode === "require" ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ca };
}
