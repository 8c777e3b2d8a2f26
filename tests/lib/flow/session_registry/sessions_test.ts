/** The registry alone and with workers: pages that miss nobody, closes, kicks, deadlines. */
import assert from "node:assert/strict";
import { ManualClock, systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Random } from "../../../../lib/base/random.ts";
import type { ClientSession } from "../../../../lib/flow/session_registry.ts";
import { LocalSessions } from "../../../../lib/flow/session_registry/local_sessions.ts";
import { serveSessions, WorkerSessions } from "../../../../lib/flow/session_registry/session_port.ts";

function session(id: string, more: Partial<ClientSession> = {}): ClientSession {
  return {
    id,
    server: "restream",
    tenant: "alpha",
    key_id: "k1",
    peer: "192.0.2.1:50000",
    connected_ms: 1_700_000_000_000,
    priority: 1,
    describe: () => ({
      subscriptions: 2,
      queued_bytes: 10,
      sent_messages: 5,
      sent_bytes: 500,
      skipped_messages: 1,
      step: "normal",
    }),
    kick() {},
    ...more,
  };
}

function registry(clock = new ManualClock()) {
  const metrics = new Metrics();
  return { clock, metrics, sessions: new LocalSessions({ clock, log: silentLog, metrics }) };
}

async function allPages(sessions: LocalSessions, limit: number, tenant?: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await sessions.list({ limit, cursor, tenant });
    ids.push(...page.sessions.map((one) => one.id));
    cursor = page.next;
  }
  return ids;
}

Deno.test("sessions: pages by id, filtered by tenant, with live numbers", async () => {
  const { sessions, metrics } = registry();
  for (let i = 0; i < 25; i++) sessions.add(session(`s${i}`, { tenant: i % 2 ? "alpha" : "beta" }));
  const ids = Array.from({ length: 25 }, (_, i) => `s${i}`).sort();
  for (const limit of [1, 4, 24, 25, 1_000]) assert.deepEqual(await allPages(sessions, limit), ids);
  const alpha = await sessions.list({ limit: 5, tenant: "alpha" });
  assert.equal(alpha.total, 12);
  assert.ok(alpha.sessions.every((one) => one.tenant === "alpha"));
  const [first] = alpha.sessions;
  assert.equal(first.queued_bytes, 10);
  assert.ok(!("kick" in first) && !("describe" in first));
  metrics.collect();
  assert.equal(metrics.gauge("mdg_sessions", "", ["server"]).with("restream").value, 25);
  assert.equal((await sessions.list({ limit: 0 })).sessions.length, 1, "a page has at least one");
});

Deno.test("sessions: a page stays right while others come and go", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new Random(`pages ${seed}`);
    const { sessions } = registry();
    const staying = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const id = String(random.uint32());
      sessions.add(session(id));
      if (random.chance(0.5)) staying.add(id);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await sessions.list({ limit: 7, cursor });
      seen.push(...page.sessions.map((one) => one.id));
      cursor = page.next;
      for (const one of (await sessions.list({ limit: 1_000 })).sessions) {
        if (!staying.has(one.id) && random.chance(0.2)) sessions.ended(one.id, "left");
      }
      sessions.add(session(String(random.uint32())));
    } while (cursor !== undefined);
    assert.equal(new Set(seen).size, seen.length, "nobody twice");
    for (const id of staying) assert.ok(seen.includes(id), `${id} was there all the time`);
  }
});

Deno.test("sessions: the last 10,000 closes, newest first, and kicks", async () => {
  const { sessions, clock } = registry();
  const reasons: string[] = [];
  sessions.add(session("one", { kick: (reason) => reasons.push(reason) }));
  assert.equal(await sessions.kick("one", "by hand"), true);
  assert.equal(await sessions.kick("two", "by hand"), false);
  assert.deepEqual(reasons, ["by hand"]);
  clock.advance(5_000);
  sessions.ended("one", "kicked", 4010);
  sessions.ended("one", "again", 4010);
  sessions.ended("never there", "left");
  assert.equal((await sessions.list({ limit: 10 })).total, 0);
  const { describe: _, kick: __, priority: ___, ...told } = session("one");
  assert.deepEqual(sessions.closes(10), [
    { ...told, closed_ms: clock.now_ms(), reason: "kicked", code: 4010 },
  ]);
  for (let i = 0; i < 10_050; i++) {
    sessions.add(session(`c${i}`));
    sessions.ended(`c${i}`, "left");
  }
  const closes = sessions.closes(20_000);
  assert.equal(closes.length, 10_000);
  assert.equal(closes[0].id, "c10049");
  assert.equal(closes.at(-1)!.id, "c50");
});

Deno.test("sessions: those of workers are listed, kicked and closed like our own", async () => {
  const main = registry(systemClock as unknown as ManualClock).sessions;
  const workers = ["worker-1", "worker-2"].map((name) => {
    const { port1, port2 } = new MessageChannel();
    port1.start();
    port2.start();
    const own = registry().sessions;
    const stop = serveSessions(own, port2);
    return { name, own, stop, remote: new WorkerSessions(name, port1, main), ports: [port1, port2] };
  });
  const kicked: string[] = [];
  const random = new Random("workers");
  const ids: string[] = [];
  for (let i = 0; i < 60; i++) {
    const id = random.uint32().toString(16).padStart(8, "0");
    ids.push(id);
    random.pick([main, workers[0].own, workers[1].own])
      .add(session(id, { tenant: i % 3 ? "alpha" : "beta", kick: () => kicked.push(id) }));
  }
  for (const limit of [1, 7, 60]) assert.deepEqual(await allPages(main, limit), ids.toSorted());
  assert.equal((await main.list({ limit: 1, tenant: "beta" })).total, 20);
  for (const id of ids) assert.equal(await main.kick(id, "by hand"), true);
  assert.deepEqual(kicked, ids);
  assert.equal(await main.kick("nobody", "by hand"), false);
  const [lost] = (await workers[0].own.list({ limit: 1 })).sessions;
  workers[0].own.ended(lost.id, "slow", 4008);
  // A round trip later the word has come.
  await main.list({ limit: 1 });
  assert.equal(main.closes(1)[0].id, lost.id);
  for (const { stop, remote, ports } of workers) {
    stop();
    remote[Symbol.dispose]();
    for (const port of ports) port.close();
  }
  assert.equal((await main.list({ limit: 100 })).missing, undefined, "gone workers are not asked");
});

Deno.test("sessions: a worker without an answer is missing, and holds nobody up", async () => {
  const { sessions, clock } = registry();
  sessions.add(session("here"));
  const { port1, port2 } = new MessageChannel();
  port1.start();
  const deaf = new WorkerSessions("deaf", port1, sessions);
  const listing = sessions.list({ limit: 10 });
  const kicking = sessions.kick("elsewhere", "by hand");
  clock.advance(2_000);
  const page = await listing;
  assert.deepEqual(page.missing, ["deaf"]);
  assert.equal(page.sessions.length, 1);
  assert.equal(await kicking, false);
  // What waits is bounded: the oldest questions are given up.
  const many = Array.from({ length: 100 }, () => deaf.kick("x", "y").catch((error) => error.message));
  deaf[Symbol.dispose]();
  const answers = await Promise.all(many);
  assert.ok(answers.slice(0, 34).every((one) => one === "too many questions wait"));
  assert.equal(answers.at(-1), "the worker is gone");
  port1.close();
  port2.close();
});
