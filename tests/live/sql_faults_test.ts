/**
 * The sink `sql` and a PostgreSQL that dies, hangs, is full or says no: nothing that was taken is lost, nothing is there
 * twice, memory stays bounded. Prints what it measured.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { findProgram } from "../../scripts/debian.ts";
import { PostgresCluster } from "../../scripts/postgres_cluster.ts";
import { postgres } from "../../scripts/services/postgres.ts";
import { print } from "../bench/figures.ts";
import { until } from "../end_to_end/until.ts";
import { makeCertificate } from "../certificate.ts";
import { is_long, serviceAddress, testUnless } from "../services.ts";
import { SqlRig, SqlTables } from "./sql_rig.ts";

const RATE_PER_S = 10_000;
const MIB = 1024 * 1024;
/** Enough for a queue of 200,000 rows, and far below what an outage would pile up without a spool. */
const MAX_GROWTH_BYTES = 512 * MIB;

const initdb = await findProgram(postgres.program, postgres.extra_folders);
const missing = initdb === undefined ? "postgres: initdb is not installed" : undefined;

function clusterTest(
  name: string,
  body: (cluster: PostgresCluster) => Promise<void>,
  options: { password?: string } = {},
): void {
  testUnless(missing, name, async () => {
    await using cluster = await PostgresCluster.create(initdb!, systemClock, options);
    await cluster.start();
    await body(cluster);
  });
}

clusterTest(
  "kill -9 of PostgreSQL in mid-stream: trades in are trades stored, once each",
  async (cluster) => {
    await using tables = await SqlTables.create(cluster.url);
    await using rig = await SqlRig.open(tables.config);
    const before_bytes = Deno.memoryUsage().rss;
    const scale = is_long ? 10 : 1;
    for (let round = 0; round < 2; round++) {
      await rig.stream(RATE_PER_S, 1_000 * scale);
      const killed = cluster.kill();
      await rig.stream(RATE_PER_S, 1_000 * scale);
      await killed;
      assert.match(rig.sink.notReady()!, /not connected: .*in the spool/);
      const started = cluster.start();
      await rig.stream(RATE_PER_S, 1_000 * scale);
      await started;
    }
    await rig.stream(RATE_PER_S, 500);
    await until("everything to be stored", () => rig.settled, 60_000, () => rig.sink.notReady());
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.equal(rig.count("sql_spool_dropped_rows_total"), 0);
    assert.equal(await rig.close(), 0);
    await tables.assertTrades(rig.trades);
    const growth_bytes = rig.peak_rss_bytes - before_bytes;
    print(
      `  ${rig.trades} trades at ${RATE_PER_S}/s over 2 kills, memory grew by ${growth_bytes / MIB | 0} MiB`,
    );
    assert.ok(growth_bytes < MAX_GROWTH_BYTES, `memory grew by ${growth_bytes / MIB} MiB`);
  },
);

clusterTest(
  "a PostgreSQL that hangs is given up, and what it did after all is not there twice",
  async (cluster) => {
    await using tables = await SqlTables.create(cluster.url);
    await using rig = await SqlRig.open({
      ...tables.config,
      command_timeout_ms: 500,
      connect_timeout_ms: 500,
    });
    await rig.stream(RATE_PER_S, 300);
    cluster.signal("SIGSTOP");
    // The backend of the connection goes on; the whole session must hang.
    const pids = await backendsOf(cluster.pid);
    for (const pid of pids) Deno.kill(pid, "SIGSTOP");
    await rig.stream(RATE_PER_S, 1_500);
    await until("rows to go to the spool", () => rig.sink.notReady()?.includes("in the spool"), 10_000);
    for (const pid of pids) Deno.kill(pid, "SIGCONT");
    cluster.signal("SIGCONT");
    await rig.stream(RATE_PER_S, 300);
    await until("everything to be stored", () => rig.settled, 60_000, () => rig.sink.notReady());
    assert.equal(await rig.close(), 0);
    await tables.assertTrades(rig.trades);
  },
);

clusterTest("a wrong password is one clear error; the rows wait for the right one", async (cluster) => {
  const url = cluster.url.replace("postgres@", "mdg_writer@");
  await using tables = await SqlTables.create(cluster.url.replace("postgres@", "postgres:right@"));
  await tables.query("CREATE ROLE mdg_writer LOGIN PASSWORD 'another'");
  await tables.query("GRANT ALL ON DATABASE postgres TO mdg_writer");
  await using rig = await SqlRig.open({ ...tables.config, url, password: "not-this-one" });
  for (let i = 0; i < 100; i++) rig.trade();
  rig.queue.flush();
  const why = await until("the refusal", () => rig.lines.find((line) => line.includes("not usable")));
  assert.match(why, /password authentication failed for user \\"mdg_writer\\", want the right password/);
  assert.ok(!rig.lines.join("\n").includes("not-this-one"), "the password was logged");
  await until("the rows to be in the spool", () => rig.queue.queued === 0);
  assert.equal(
    rig.lines.filter((line) => line.includes("not usable")).length,
    1,
    "told once, not at every attempt",
  );
  await tables.query("ALTER ROLE mdg_writer PASSWORD 'not-this-one'");
  await until("everything to be stored", () => rig.settled, 20_000, () => rig.sink.notReady());
  assert.equal(await rig.close(), 0);
  await tables.assertTrades(100);
}, { password: "right" });

const openssl = serviceAddress("openssl");

testUnless(
  missing ?? ("missing" in openssl ? openssl.missing : undefined),
  "TLS: encrypted, and only with a certificate that is good for the host when that is asked for",
  async () => {
    await using cluster = await PostgresCluster.create(initdb!, systemClock);
    const certificates = join(cluster.folder, "tls");
    await Deno.mkdir(certificates);
    await makeCertificate((openssl as { address: string }).address, certificates);
    const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(certificates, name));
    const { uid, gid } = cluster.owner;
    if (uid !== undefined) { for (const path of [cert, key]) await Deno.chown(path, uid, gid ?? null); }
    await cluster.start([], { ssl: "on", ssl_cert_file: cert, ssl_key_file: key });
    await using tables = await SqlTables.create(cluster.url);
    const modes = { require: "sslmode=require", verified: "sslmode=verify-full" };
    for (const [name, mode] of Object.entries(modes)) {
      const ca_file = name === "verified" ? cert : undefined;
      await using rig = await SqlRig.open({ ...tables.config, url: `${cluster.url}?${mode}`, ca_file });
      rig.trade();
      rig.queue.flush();
      await until(
        "the row",
        () => rig.settled && rig.count("sql_rows_total") > 0,
        20_000,
        () => rig.sink.notReady(),
      );
      const [row] = await tables.query(
        "SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'mdg'",
      );
      assert.equal(row.ssl, true, name);
      assert.equal(await rig.close(), 0);
    }
    await using unknown = await SqlRig.open({ ...tables.config, url: `${cluster.url}?${modes.verified}` });
    const why = await until("the refusal", () => unknown.lines.find((line) => line.includes("not usable")));
    assert.match(why, /certificate/);
  },
);

/** A file system of 1 MiB. */
async function smallDisk(): Promise<{ folder: string; drop(): Promise<void> } | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "mdg-disk-" });
  const run = (program: string, ...args: string[]) =>
    new Deno.Command(program, { args, stderr: "null" }).output().then(({ success }) => success, () => false);
  const drop = async () => {
    await run("umount", folder);
    await Deno.remove(folder, { recursive: true });
  };
  if (await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)) return { folder, drop };
  await drop();
  return undefined;
}
const disk = await smallDisk();
await disk?.drop();
const no_disk = disk ? undefined : "a small file system can't be mounted here";

testUnless(
  missing ?? no_disk,
  "a full disk under the spool: one clear error, bounded memory, nothing promised is lost",
  async () => {
    const { folder, drop } = (await smallDisk())!;
    await using cluster = await PostgresCluster.create(initdb!, systemClock);
    await using tables = await SqlTables.create(cluster.url);
    const spool = { folder: join(folder, "spool"), max_bytes: 256 * MIB };
    const max_queued_rows = 20_000;
    await using rig = await SqlRig.open({ ...tables.config, spool, max_queued_rows });
    await rig.stream(RATE_PER_S, 4_500);
    const told = await until(
      "the full disk to be told",
      () => rig.lines.find((line) => line.includes("space")),
    );
    assert.match(told, /append to spool .*No space left on device.*want free space/);
    assert.ok(rig.queue.queued <= max_queued_rows);
    await cluster.start();
    await until("everything to be stored", () => rig.settled, 60_000, () => rig.sink.notReady());
    const dropped = rig.count("sink_dropped_total");
    assert.ok(dropped > 0, "more came than fits");
    const { rows, ids, last } = await tables.tradeCounts();
    assert.deepEqual({ rows, ids, last }, {
      rows: rig.trades - dropped,
      ids: rig.trades - dropped,
      last: rig.trades,
    });
    assert.equal(await rig.close(), 0);
    await drop();
  },
);

testUnless(
  no_disk,
  "a full disk under SQLite: one clear error, and on it goes when there is room",
  async () => {
    const { folder, drop } = (await smallDisk())!;
    const ballast = join(folder, "ballast");
    await Deno.writeFile(ballast, new Uint8Array(MIB / 2));
    const rig = await SqlRig.open({ url: `sqlite:${join(folder, "m.sqlite")}` });
    await rig.stream(RATE_PER_S, 500);
    const told = await until(
      "the full disk to be told",
      () => rig.lines.find((line) => line.includes("want free space")),
    );
    assert.match(told, /write to sqlite:.*(disk is full|disk I\/O error).*want free space on the disk/);
    await Deno.remove(ballast);
    await until(
      "the rows that fit to be stored",
      () => rig.count("sql_rows_total") > 0 && rig.queue.queued === 0,
      20_000,
    );
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.equal(rig.count("sql_rows_total"), rig.trades);
    assert.equal(await rig.close(), 0);
    await drop();
  },
);

/** Process ids of the children of a server. */
async function backendsOf(pid: number): Promise<number[]> {
  await sleep(systemClock, 0);
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").filter(Boolean).map(Number);
}
