/**
 * `mdg monitor postgres` against clusters of its own: its numbers are those of the statistics views, healthy, loaded by
 * pgbench, blocked, with a standby, and being killed; and what a person sees and may do.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Client } from "pg";
import { systemClock } from "../../lib/base/clock.ts";
import { findProgram } from "../../scripts/debian.ts";
import { PostgresCluster } from "../../scripts/postgres_cluster.ts";
import { postgres } from "../../scripts/services/postgres.ts";
import { until } from "../end_to_end/until.ts";
import { serviceAddress, testUnless } from "../services.ts";
import { checkBy, type MonitorLine, MonitorStream } from "./monitor_stream.ts";
import { TmuxScreen } from "./tmux_screen.ts";

const initdb = await findProgram(postgres.program, postgres.extra_folders);
const missing = initdb === undefined ? "postgres: initdb is not installed" : undefined;

function clusterTest(name: string, body: (cluster: PostgresCluster) => Promise<void>, why = missing): void {
  testUnless(why, name, async () => {
    await using cluster = await PostgresCluster.create(initdb!, systemClock);
    await cluster.start();
    await body(cluster);
  });
}

/** Connected clients that are let go of with the test, whatever became of their sessions. */
class Sessions implements AsyncDisposable {
  readonly #clients: Client[] = [];
  constructor(readonly url: string) {}
  async open(name: string): Promise<Client> {
    const client = new Client({ connectionString: this.url, application_name: name });
    client.on("error", () => {});
    await client.connect();
    this.#clients.push(client);
    return client;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})));
  }
}

async function pidOf(client: Client): Promise<number> {
  return (await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
}

/** Two sessions of which one waits for the other's row, and a third that waits behind. */
async function blocked(sessions: Sessions) {
  const holder = await sessions.open("holder");
  await holder.query(
    "CREATE TABLE accounts (id int PRIMARY KEY, amount int); INSERT INTO accounts VALUES (1, 10)",
  );
  await holder.query("BEGIN");
  await holder.query("UPDATE accounts SET amount = 11 WHERE id = 1");
  const waiters = [];
  for (const name of ["waiter one", "waiter two"]) {
    const client = await sessions.open(name);
    const pid = await pidOf(client);
    const ended = client.query("UPDATE accounts SET amount = 12 WHERE id = 1").then(
      () => "done",
      (error) => String(error),
    );
    waiters.push({ client, pid, ended });
  }
  return { holder, holder_pid: await pidOf(holder), waiters };
}

clusterTest("healthy: what it says is what pg_stat_activity says; check is OK", async (cluster) => {
  await using sessions = new Sessions(cluster.url);
  const idle = await sessions.open("idle");
  const in_transaction = await sessions.open("in transaction");
  await in_transaction.query("BEGIN");
  await in_transaction.query("SELECT 1");
  const busy = await sessions.open("busy");
  const sleeping = busy.query("SELECT pg_sleep(600)").catch(() => {});
  await using monitor = new MonitorStream(["postgres", "--url", cluster.url, "--interval", "0.3"]);
  const { readings, sample, state } = await monitor.line("a line", () => true);
  assert.equal(state, "ok");
  const { rows: states } = await idle.query(
    "SELECT state, count(*)::int AS count FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1",
  );
  // The one that asks here is idle otherwise; the monitor is active while it asks.
  const wanted: Record<string, number> = Object.fromEntries(states.map(({ state, count }) => [state, count]));
  assert.deepEqual(sample.connections.by_state, { ...wanted, active: 2, idle: 1 });
  assert.deepEqual([readings.connections, sample.connections.max], [4, 100]);
  assert.equal(readings.connections_pct.toFixed(3), (400 / 97).toFixed(3));
  assert.equal(readings.idle_in_transaction, 1);
  assert.equal(sample.role, "primary");
  const { rows: [{ version }] } = await idle.query("SHOW server_version").then(({ rows }) => ({
    rows: [{ version: rows[0].server_version }],
  }));
  assert.equal(sample.version, version);
  const busy_session = sample.sessions.find(({ application }: MonitorLine) => application === "busy");
  assert.equal(busy_session.query, "SELECT pg_sleep(600)");
  assert.ok(readings.longest_query_s >= busy_session.query_s && readings.longest_transaction_s > 0);
  const { code, line } = await checkBy(["postgres", "--url", cluster.url, "-w", "idle_in_transaction=5"]);
  assert.equal(code, 0, line);
  assert.match(line, /^POSTGRES OK - 127\.0\.0\.1:\d+\/postgres: primary, [45] of 100 connections/);
  await idle.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'busy'");
  await sleeping;
});

clusterTest("who blocks whom, for how long; a check names the blocker", async (cluster) => {
  await using sessions = new Sessions(cluster.url);
  const { holder, holder_pid, waiters } = await blocked(sessions);
  await using monitor = new MonitorStream(["postgres", "--url", cluster.url, "--interval", "0.3"]);
  const { sample, readings } = await monitor.line("two that wait", ({ readings }) => readings?.waiting === 2);
  const session = (pid: number) => sample.sessions.find((one: MonitorLine) => one.pid === pid);
  // One waits for the holder, the other behind it.
  assert.ok(waiters.some(({ pid }) => session(pid).blocked_by.includes(holder_pid)));
  assert.ok(session(holder_pid).blocks >= 1);
  assert.match(session(waiters[0].pid).waits_for, /^Lock: (transactionid|tuple)$/);
  assert.equal(session(holder_pid).state, "idle in transaction");
  const { rows } = await holder.query(
    "SELECT pid, pg_blocking_pids(pid) AS by FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  );
  for (const { pid, by } of rows) {
    assert.deepEqual(
      session(pid).blocked_by.toSorted(),
      [...new Set(by as number[])].toSorted(),
      "as pg_blocking_pids has it",
    );
  }
  assert.ok(readings.longest_wait_s > 0);
  const { code, line } = await checkBy(["postgres", "--url", cluster.url, "-c", "waiting=0"]);
  assert.equal(code, 2, line);
  assert.match(
    line,
    new RegExp(
      `waiting 2, want at most 0; .* wait for pid ${holder_pid} \\(postgres, idle in transaction\\)`,
    ),
  );
  await holder.query("COMMIT");
  assert.deepEqual(await Promise.all(waiters.map(({ ended }) => ended)), ["done", "done"]);
});

clusterTest(
  "loaded: pgbench's transactions are counted, no more and no less; WAL and blocks are the server's",
  async (cluster) => {
    const pgbench = join(cluster.programs, "pgbench");
    const run = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command(pgbench, {
        args: ["-h", "127.0.0.1", "-p", `${cluster.port}`, "-U", "postgres", ...args, "postgres"],
        stdout: "null",
        stderr: "piped",
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    };
    await run("-i", "-s", "1", "-q");
    await using sessions = new Sessions(cluster.url);
    const client = await sessions.open("asker");
    const totals = async () => {
      const { rows } = await client.query(
        "SELECT sum(blks_hit)::float8 AS hit, sum(blks_read)::float8 AS read FROM pg_stat_database",
      );
      return rows[0] as { hit: number; read: number };
    };
    await using monitor = new MonitorStream(["postgres", "--url", cluster.url, "--interval", "0.5"]);
    await monitor.line("the first line", () => true);
    // What came before is in the server's statistics by then.
    await monitor.line("two more lines", () => true, monitor.lines.length + 1);
    const began = monitor.lines.length;
    const before = await totals();
    // At a steady rate, two seconds of it: long enough for a look to meet the four at work.
    await run("-n", "-c", "4", "-t", "500", "-R", "1000");
    const ended = monitor.lines.length;
    await monitor.line("lines after the statistics were sent", () => true, ended + 4);
    const { lines } = monitor;
    const after = await totals();
    const over = (of: (line: MonitorLine) => number | undefined) =>
      lines.slice(began).reduce((sum, line, i) => {
        const seconds = (Date.parse(line.time) - Date.parse(lines[began + i - 1].time)) / 1_000;
        return sum + (of(line) ?? 0) * seconds;
      }, 0);
    const transactions = over(({ readings }) => readings.transactions_per_s);
    assert.ok(Math.abs(transactions - 2_000) < 150, `${transactions} transactions, want 2000`);
    const hit = over(({ sample }) => sample.blocks_hit_per_s);
    const wanted = after.hit - before.hit;
    assert.ok(Math.abs(hit - wanted) < 0.1 * wanted, `${hit} blocks hit, want ${wanted}`);
    const loaded = lines.slice(began).filter(({ readings }) => readings.transactions_per_s > 100);
    assert.ok(loaded.every(({ readings }) => readings.cache_hit_pct > 90 && readings.cache_hit_pct <= 100));
    assert.ok(
      Math.max(...lines.map(({ readings }) => readings.connections)) >= 5,
      "pgbench's four, and ours",
    );
    const wal = over(({ readings }) => readings.wal_bytes_per_s);
    assert.ok(wal > 500_000, `${wal} bytes of WAL`);
    const [worst] = lines.at(-1)!.sample.tables;
    assert.ok(
      lines.at(-1)!.sample.tables.some(({ name }: MonitorLine) => name === "pgbench_branches"),
      JSON.stringify(worst),
    );
  },
);

clusterTest(
  "dead rows: a table that nobody vacuums is a warning; checkpoints that come early are counted",
  async (cluster) => {
    await using sessions = new Sessions(cluster.url);
    const client = await sessions.open("writer");
    await client.query("CREATE TABLE heap (n int) WITH (autovacuum_enabled = off)");
    await client.query("INSERT INTO heap SELECT generate_series(1, 20000)");
    await client.query("DELETE FROM heap WHERE n > 4000");
    await client.query("CHECKPOINT");
    await client.end();
    const noticed = await until("the statistics to tell", async () => {
      const { code, line } = await checkBy(["postgres", "--url", cluster.url]);
      return code === 1 && line;
    });
    assert.match(noticed, /dead_rows_pct 80%, want at most 50/);
    assert.match(noticed, /checkpoints_requested_pct=[1-9]/);
  },
);

clusterTest(
  "killed: told within a look, waited for, and back by itself; a check is CRITICAL",
  async (cluster) => {
    await using monitor = new MonitorStream([
      "postgres",
      "--url",
      cluster.url,
      "--interval",
      "0.3",
      "--timeout",
      "3",
    ]);
    await monitor.line("healthy", ({ state }) => state === "ok");
    await cluster.kill();
    const lost = await monitor.line("lost", ({ state }) => state === "critical");
    assert.equal(lost.sample, undefined);
    const refused = await monitor.line(
      "refused",
      ({ problems }) => /nobody listens on/.test(problems[0]?.text),
    );
    assert.equal(refused.state, "critical");
    const dead = await checkBy(["postgres", "--url", cluster.url]);
    assert.equal(dead.code, 2);
    assert.match(dead.line, /^POSTGRES CRITICAL - .*: nobody listens on 127\.0\.0\.1:\d+\n$/);
    await cluster.start();
    const back = await monitor.line("back", ({ state }) => state === "ok", monitor.lines.length);
    assert.equal(back.readings.transactions_per_s, undefined, "no rate over a restart");
    monitor.process.signal("SIGTERM");
    assert.equal(await monitor.process.ended, 0);
    assert.deepEqual(monitor.process.talk, [], "no stack trace, nothing");
  },
);

clusterTest(
  "stopped: a server that does not answer is lost at the deadline, and found again",
  async (cluster) => {
    await using sessions = new Sessions(cluster.url);
    await using monitor = new MonitorStream([
      "postgres",
      "--url",
      cluster.url,
      "--interval",
      "0.3",
      "--timeout",
      "1",
    ]);
    await monitor.line("healthy", ({ state }) => state === "ok");
    // The session that the monitor has is another process than the one that takes connections: both stand still.
    const client = await sessions.open("finder");
    const { rows: [{ pid }] } = await client.query(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'mdg monitor'",
    );
    cluster.signal("SIGSTOP");
    Deno.kill(pid, "SIGSTOP");
    const lost = await monitor.line("lost", ({ state }) => state === "critical");
    assert.match(lost.problems[0].text, /no answer within|timeout/);
    cluster.signal("SIGCONT");
    Deno.kill(pid, "SIGCONT");
    await monitor.line("back", ({ state }) => state === "ok", monitor.lines.length);
  },
);

clusterTest("replication: lag on both sides; a standby whose primary is gone", async (cluster) => {
  await using standby = await cluster.createStandby();
  await standby.start();
  await using sessions = new Sessions(cluster.url);
  await using others = new Sessions(standby.url);
  const client = await sessions.open("writer");
  const reader = await others.open("reader");
  const args = (url: string) => ["postgres", "--url", url, "--interval", "0.3"];
  await using primary = new MonitorStream(args(cluster.url));
  await using second = new MonitorStream(args(standby.url));
  const streaming = await primary.line("a standby", ({ readings }) => readings?.replicas === 1);
  assert.equal(streaming.sample.replicas[0].sync_state, "async");
  const calm = await second.line("streaming", ({ sample }) => sample?.standby?.receiver === "streaming");
  assert.equal(calm.sample.role, "standby");
  await client.query("CREATE TABLE first (n int)");
  await until("the standby to have it", async () => {
    const { rows } = await reader.query("SELECT to_regclass('first') IS NOT NULL AS there");
    return rows[0].there === true;
  });
  await reader.query("SELECT pg_wal_replay_pause()");
  await client.query("CREATE TABLE t AS SELECT generate_series(1, 20000) AS n");
  const { rows: [{ lag }] } = await client.query(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 AS lag FROM pg_stat_replication",
  );
  assert.ok(lag > 500_000, `the server itself says ${lag}`);
  const behind = await primary.line(
    "the lag at the primary",
    ({ readings }) => readings?.replica_lag_bytes > 500_000,
  );
  assert.ok(behind.readings.replica_lag_bytes >= 500_000);
  await second.line(
    "the lag at the standby",
    ({ readings }) => readings?.replica_lag_bytes > 500_000 && readings.replica_lag_s > 0,
  );
  const check = await checkBy([...args(cluster.url), "-c", "replica_lag_bytes=100000"]);
  assert.equal(check.code, 2, check.line);
  await reader.query("SELECT pg_wal_replay_resume()");
  await second.line("caught up", ({ readings }) => readings?.replica_lag_bytes === 0, second.lines.length);
  await cluster.kill();
  const alone = await until("the check to notice", async () => {
    const { code, line } = await checkBy(args(standby.url));
    return code === 2 && line;
  });
  assert.match(alone, /the standby does not stream from any primary/);
});

clusterTest(
  "a user who may not see others is told so, and passwords in queries are not repeated",
  async (cluster) => {
    await using sessions = new Sessions(cluster.url);
    const client = await sessions.open("admin");
    await client.query("CREATE ROLE watcher LOGIN PASSWORD 'query-secret'");
    const args = ["postgres", "--interval", "0.3"];
    await using monitor = new MonitorStream([...args, "--url", cluster.url]);
    const { sample } = await monitor.line("a line", () => true);
    assert.equal(sample.sees_all, true);
    assert.doesNotMatch(JSON.stringify(sample), /query-secret/);
    assert.match(JSON.stringify(sample), /PASSWORD \*\*\*/);
    await using limited = new MonitorStream([...args, "--url", cluster.url.replace("postgres@", "watcher@")]);
    const seen = await limited.line("a line", ({ sample }) => sample !== undefined);
    assert.equal(seen.sample.sees_all, false);
    assert.equal(seen.sample.connections.total, seen.readings.connections);
  },
);

const tmux = serviceAddress("tmux");
const no_tmux = "missing" in tmux ? tmux.missing : undefined;

clusterTest(
  "on a terminal: F1, F2, F3; cancel and terminate only after a yes; killed and back; q",
  async (cluster) => {
    await using sessions = new Sessions(cluster.url);
    const { holder, holder_pid, waiters } = await blocked(sessions);
    const args = ["monitor", "postgres", "--url", cluster.url, "--interval", "0.5", "--timeout", "2"];
    await using screen = await TmuxScreen.start("address" in tmux ? tmux.address : "", args);
    const running = await screen.shows(/OK[\s\S]*Sessions[\s\S]*idle in tx[\s\S]*\[F1 running\]/);
    assert.match(running, /waiting 2/);
    assert.equal(running.split("\n").length, 24);
    await screen.type("F2");
    const waiting = await screen.shows(/blocked by[\s\S]*\[F2 waiting\]/);
    for (const { pid } of waiters) assert.match(waiting, new RegExp(`[> ]${pid} .* waiting +\\d`));
    await screen.type("F3");
    const blocking = await screen.shows(/blocks[\s\S]*\[F3 blocking\]/);
    assert.match(blocking, new RegExp(`${holder_pid} .*idle in tx +[12]`));

    await screen.type("F2");
    await screen.shows(/\[F2 waiting\]/);
    await screen.type("p");
    await screen.shows(/by pid/);
    await screen.type("Home", "C");
    const asked = await screen.shows(/cancel the query of \d+ \(postgres, postgres, waiter \w+\)\? y\/N/);
    const victim = waiters.find(({ pid }) => asked.includes(`query of ${pid} `))!;
    await screen.type("n");
    await screen.shows(/cancel: not done/);
    await screen.type("C");
    await screen.shows(/y\/N/);
    await screen.type("y");
    await screen.shows(new RegExp(`cancel ${victim.pid}: sent`));
    assert.match(await victim.ended, /canceling statement due to user request/);

    await screen.type("F3");
    await screen.shows(/\[F3 blocking\]/);
    // The one that was cancelled held others up as well, until then.
    await screen.shows(new RegExp(`query\\n>${holder_pid} .*\\n *\\n`));
    const gone = new Promise<void>((resolve) => holder.on("end", () => resolve()));
    await screen.type("K");
    await screen.shows(
      new RegExp(`end the session of ${holder_pid} \\(postgres, postgres, holder\\)\\? y/N`),
    );
    await screen.type("y");
    await gone;
    const survivor = waiters.find((one) => one !== victim)!;
    assert.equal(await survivor.ended, "done", "the lock is free");

    await cluster.kill();
    await screen.shows(/LOST .*nobody listens on 127\.0\.0\.1:\d+/);
    await cluster.start();
    await screen.shows(/\/postgres {2}OK/);
    await screen.type("q");
    await screen.shows(/ended with 0/);
    assert.deepEqual(await screen.state(), { alternate: false, cursor: true });
  },
  missing ?? no_tmux,
);
