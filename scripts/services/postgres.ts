/**
 * PostgreSQL: the one on port 5432 when it lets the user `postgres` in without a password, else a private cluster.
 */
import { Client } from "pg";
import type { Clock } from "../../lib/base/clock.ts";
import { PostgresCluster } from "../postgres_cluster.ts";
import type { ServiceKind } from "./service.ts";

const VERSIONS = [18, 17, 16, 15, 14, 13];

export const postgres: ServiceKind = {
  name: "postgres",
  env: "MDG_TEST_POSTGRES_URL",
  program: "initdb",
  extra_folders: VERSIONS.map((version) => `/usr/lib/postgresql/${version}/bin`),
  debian_package: "postgresql",
  async existing() {
    const address = "postgres://postgres@127.0.0.1:5432/postgres";
    return await answers(address) ? address : undefined;
  },
  async start(program: string, clock: Clock) {
    const cluster = await PostgresCluster.create(program, clock);
    await cluster.start();
    return { address: cluster.url, stop: () => cluster[Symbol.asyncDispose]() };
  },
};

async function answers(address: string): Promise<boolean> {
  const client = new Client({ connectionString: address, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
