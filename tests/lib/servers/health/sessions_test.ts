/** `/clients`, `/closes`, `/upstreams` and kick: only with the token, bounded, and never with a secret. */
import assert from "node:assert/strict";
import { knownSecrets } from "../../../../lib/base/known_secrets.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { BudgetGuard } from "../../../../lib/flow/memory_guard/budget_guard.ts";
import type { UpstreamState } from "../../../../lib/flow/session_registry.ts";
import { LocalSessions } from "../../../../lib/flow/session_registry/local_sessions.ts";
import { health } from "../../../../lib/servers/health/health.ts";
import { FakeHub } from "../fake_hub.ts";

const TOKEN = "operator-token-of-a-test";

interface Stage {
  ask(path: string, method?: string, token?: string): Promise<{ status: number; answer: unknown }>;
  sessions: LocalSessions;
  kicked: string[];
}

async function withSessions(work: (stage: Stage) => Promise<void>, upstreams: UpstreamState[] = []) {
  const hub = new FakeHub();
  const { clock, metrics } = hub;
  const sessions = new LocalSessions({ clock, log: silentLog, metrics, upstreams: () => upstreams });
  using memory = new BudgetGuard({
    budget_bytes: 1_000_000,
    budget_from: "the test",
    sample_interval_ms: 10_000,
    readMemory: () => ({ rss_bytes: 720_000, heap_used_bytes: 1, external_bytes: 2 }),
    clock,
    log: silentLog,
    metrics,
  });
  Object.assign(hub, { sessions, memory });
  const kicked: string[] = [];
  for (let i = 0; i < 12; i++) {
    const id = `c${String(i).padStart(2, "0")}/é`;
    sessions.add({
      id,
      server: "restream",
      tenant: i < 3 ? "alpha" : "beta",
      key_id: "key-1",
      peer: "192.0.2.1:5000",
      connected_ms: 1_700_000_000_000,
      priority: 2,
      describe: () => ({
        subscriptions: 1,
        queued_bytes: 0,
        sent_messages: 3,
        sent_bytes: 300,
        skipped_messages: 0,
        lag_ms: 4,
        step: "normal",
      }),
      kick: (reason) => kicked.push(`${id}: ${reason}`),
    });
  }
  const config = health.schema.parse({ listen: "127.0.0.1:0", control_token: TOKEN });
  await using server = await health.open(config, hub);
  await work({
    sessions,
    kicked,
    async ask(path, method = "GET", token = TOKEN) {
      const response = await fetch(`${server.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
      });
      return { status: response.status, answer: await response.json() };
    },
  });
}

// deno-lint-ignore no-explicit-any -- JSON of the server under test
type Json = any;

Deno.test("clients: pages, tenants, the guard's state and acts", () =>
  withSessions(async ({ ask }) => {
    const first = (await ask("/clients?limit=5")).answer as Json;
    assert.equal(first.sessions.length, 5);
    assert.equal(first.total, 12);
    const rest = (await ask(`/clients?limit=1000&cursor=${encodeURIComponent(first.next)}`)).answer as Json;
    assert.equal(rest.sessions.length, 7);
    assert.equal(rest.next, undefined);
    assert.equal(first.sessions[0].lag_ms, 4);
    assert.equal(((await ask("/clients?tenant=alpha")).answer as Json).total, 3);
    assert.equal(first.memory.level, 1);
    assert.deepEqual(first.memory.pressure, { refuse_newcomers: true, conflate_all: true });
    assert.deepEqual(first.memory.acts.map((act: Json) => [act.what, act.target, act.bytes]), [
      ["level", "1", 720_000],
    ]);
  }));

Deno.test("clients: kick by id, and what came of it in closes", () =>
  withSessions(async ({ ask, sessions, kicked }) => {
    const path = `/clients/${encodeURIComponent("c03/é")}/kick`;
    assert.deepEqual(await ask(path, "POST"), { status: 200, answer: { kicked: "c03/é" } });
    assert.deepEqual(kicked, ["c03/é: ended by the operator"]);
    sessions.ended("c03/é", "kicked", 4010);
    const { closes } = (await ask("/closes?limit=5")).answer as Json;
    assert.deepEqual([closes.length, closes[0].id, closes[0].reason, closes[0].code], [
      1,
      "c03/é",
      "kicked",
      4010,
    ]);
    const again = await ask(path, "POST");
    assert.equal(again.status, 404);
    assert.match((again.answer as Json).error.message, /kick "c03\/é": no such session, want an id of GET/);
    assert.equal((await ask("/clients/%ff/kick", "POST")).status, 404);
    const read = await ask(path, "GET");
    assert.equal(read.status, 405);
    assert.match((read.answer as Json).error.message, /want POST$/);
  }));

Deno.test("clients: nothing without the token, nothing beyond the bounds", () =>
  withSessions(async ({ ask, kicked }) => {
    for (
      const [path, method] of [["/clients", "GET"], ["/closes", "GET"], ["/upstreams", "GET"], [
        "/clients/c01%2F%C3%A9/kick",
        "POST",
      ]]
    ) {
      const refused = await ask(path, method, "wrong");
      assert.equal(refused.status, 401, path);
      assert.match(
        (refused.answer as Json).error.message,
        /no valid token, want authorization: Bearer TOKEN/,
      );
    }
    assert.deepEqual(kicked, []);
    for (
      const query of ["limit=0", "limit=1001", "limit=x", "limit=1&acts=1001", "tenat=alpha", "tenant="]
    ) assert.equal((await ask(`/clients?${query}`)).status, 400, query);
    assert.equal((await ask("/closes?limit=10001")).status, 400);
  }));

Deno.test("clients: without a control token the paths do not exist", async () => {
  const hub = new FakeHub();
  const { clock, metrics } = hub;
  Object.assign(hub, { sessions: new LocalSessions({ clock, log: silentLog, metrics }) });
  await using server = await health.open(health.schema.parse({ listen: "127.0.0.1:0" }), hub);
  for (const path of ["/clients", "/closes", "/upstreams", "/clients/x/kick"]) {
    const response = await fetch(`${server.url}${path}`, { method: "POST" });
    assert.equal(response.status, 404, path);
    await response.body?.cancel();
  }
});

Deno.test("upstreams: as the gateway knows them, known secrets masked", async () => {
  const secret = "venue-token-of-a-test-4711";
  knownSecrets.add(secret);
  const upstream: UpstreamState = {
    source: "live",
    venue: "tiingo",
    connection: "live/fx/1",
    state: "connecting",
    reason: `closed by the venue: bad token ${secret}`,
    symbols: 3,
    disconnects: 2,
  };
  await withSessions(async ({ ask }) => {
    const { answer } = await ask("/upstreams");
    const masked = { ...upstream, reason: "closed by the venue: bad token ***" };
    assert.deepEqual(answer, { upstreams: [masked] });
  }, [upstream]);
});
