import assert from "node:assert/strict";
import { ManualClock, systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import type { GuardedPool, MemoryGuard } from "../../../../lib/flow/memory_guard.ts";
import { LocalSessions } from "../../../../lib/flow/session_registry/local_sessions.ts";
import { TlsReload } from "../../../../lib/servers/tls_reload.ts";
import { grpc } from "../../../../lib/servers/grpc/grpc.ts";
import { serviceAddress, serviceTest, testUnless } from "../../../services.ts";
import { FakeHub } from "../fake_hub.ts";
import { Issuer, JWT, makeKey, NOW_MS, withAccess } from "../access/tenants_rig.ts";
import { type GrpcRig, until, withGrpc } from "./grpc_rig.ts";
import { IMPLEMENTATIONS, RemoteClient } from "./remote_client.ts";

const BOOK = "SubscribeToOrderBookUpdates";
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

function market({ hub }: GrpcRig): void {
  hub.sync("AAA", [[100, 1], [99, 1]], [[101, 1]], 10);
  hub.sync("BBB", [[100, 1]], [[101, 1]], 10);
}

Deno.test("grpc access: no token, a wrong one, another's symbol, too deep, too many; and what is right", async () => {
  const small = await makeKey();
  const big = await makeKey();
  const allow = [{ symbols: ["AAA"], channels: ["book"], max_depth: 10 }];
  const tenants = [
    { id: "small", keys: [small], allow, quotas: { subscriptions: 2, connections: 1 } },
    { id: "big", keys: [big] },
  ];
  await withAccess({ tenants, clock: systemClock }, ({ access }) =>
    withGrpc(async (rig) => {
      market(rig);
      const client = rig.connect();
      const code = async (method: string, request: object, headers = {}) =>
        (await client.ask(method, request, headers)).status?.code ?? 0;
      const mine = bearer(small.key);
      const book = { symbol: "AAA", depth: 5 };
      assert.equal(await code("GetOrderBook", book), 16);
      assert.equal(await code("GetOrderBook", book, bearer(`${small.key}x`)), 16);
      assert.equal(await code("GetOrderBook", book, mine), 0);
      assert.equal(await code("GetOrderBook", { symbol: "AAA", depth: 11 }, mine), 7);
      assert.equal(await code("GetOrderBook", { symbol: "BBB", depth: 5 }, mine), 7);
      assert.equal(await code("GetRecentTrades", { symbol: "AAA" }, mine), 7);
      assert.equal(await code("SubscribeToTickers", { symbol: "AAA" }, mine), 7);
      assert.equal(await code("GetOrderBook", { symbol: "BBB" }, bearer(big.key)), 0);
      const streams = [1, 2].map(() => client.call(BOOK, book, mine));
      for (const stream of streams) await stream.received(1);
      assert.equal(await code(BOOK, book, mine), 8, "a third stream");
      streams[0].cancel();
      await until("a place", () => rig.server.calls === 1);
      const again = client.call(BOOK, book, mine);
      await again.received(1);
      const second = rig.connect();
      assert.equal((await second.ask("GetOrderBook", book, mine)).status.code, 8, "a second connection");
      assert.equal(rig.server.clients.all.size, 2);
      assert.equal((await client.ask("GetOrderBook", book, {})).status.message.includes(small.key), false);
    }, { access }));
});

Deno.test("grpc access: a revoked key ends its streams, narrower rights those that they touch", async () => {
  const keep = await makeKey();
  const gone = await makeKey();
  const one = { id: "one", keys: [keep, gone], allow: [{ symbols: ["AAA", "BBB"] }] as unknown[] };
  await withAccess({ tenants: [one], clock: systemClock }, ({ access, change }) =>
    withGrpc(async (rig) => {
      market(rig);
      const client = rig.connect();
      const lost = client.call(BOOK, { symbol: "AAA" }, bearer(gone.key));
      const [stays, touched] = ["AAA", "BBB"].map((symbol) =>
        client.call(BOOK, { symbol }, bearer(keep.key))
      );
      for (const call of [lost, stays, touched]) await call.received(1);
      await change([{ ...one, keys: [keep, { ...gone, revoked: "2026-01-01T00:00:00Z" }] }]);
      assert.equal((await lost.ended).code, 16);
      await change([{ ...one, keys: [keep], allow: [{ symbols: ["AAA"] }] }]);
      assert.equal((await touched.ended).code, 7);
      rig.hub.change("AAA", [[100, 9]], []);
      await stays.received(2);
      assert.equal((await client.ask("GetTicker", { symbol: "AAA" }, bearer(gone.key))).status.code, 16);
      stays.cancel();
      await rig.assertEmpty();
    }, { access }));
});

Deno.test("grpc access: clients stand in the session registry and can be ended there", async () => {
  const clock = new ManualClock(NOW_MS);
  const sessions = new LocalSessions({ clock, log: silentLog, metrics: new Metrics() });
  const key = await makeKey();
  await withAccess({ tenants: [{ id: "one", keys: [key] }] }, ({ access }) =>
    withGrpc(async (rig) => {
      market(rig);
      const client = rig.connect();
      const calls = ["AAA", "BBB"].map((symbol) => client.call(BOOK, { symbol }, bearer(key.key)));
      for (const call of calls) await call.received(1);
      const { sessions: [view], total } = await sessions.list({ limit: 10 });
      assert.equal(total, 1);
      assert.deepEqual([view.server, view.tenant, view.subscriptions, view.sent_messages], [
        "grpc",
        "one",
        2,
        2,
      ]);
      assert.equal(JSON.stringify(view).includes(key.key), false);
      assert.equal(await sessions.kick(view.id, "for the test"), true);
      for (const call of calls) {
        assert.deepEqual(await call.ended, { code: 14, message: "ended by the operator" });
      }
      assert.equal((await sessions.list({ limit: 10 })).total, 0);
      assert.equal(sessions.closes(1)[0].reason, "kicked");
    }, { access, clock, sessions }));
});

Deno.test("grpc access: a token that ends takes its streams along, after the grace", async () => {
  const issuer = await Issuer.create();
  const clock = new ManualClock(NOW_MS);
  const rig = { tenants: [{ id: "acme" }], jwt: { ...JWT, grace_s: 5, clock_skew_s: 0 }, clock };
  await withAccess(
    { ...rig, files: { "jwks.json": await issuer.jwks() } },
    ({ access }) =>
      withGrpc(async (rig) => {
        market(rig);
        const call = rig.connect().call(BOOK, { symbol: "AAA" }, bearer(await issuer.sign()));
        await call.received(1);
        clock.advance(60_000);
        rig.hub.change("AAA", [[100, 2]], []);
        await call.received(2);
        clock.advance(6_000);
        assert.equal((await call.ended).code, 16);
      }, { access, clock, config: { keepalive_ms: 3_600_000 } }),
  );
});

Deno.test("grpc access: the memory guard lets the largest go at once, and refuses new streams", async () => {
  const pools: GuardedPool[] = [];
  const admitted: number[] = [];
  const memory = {
    addPool(pool: GuardedPool) {
      pools.push(pool);
      return () => pools.pop();
    },
    noteAdmitted: (bytes: number) => admitted.push(bytes),
  } as unknown as MemoryGuard;
  await withGrpc(async (rig) => {
    const { hub, server } = rig;
    hub.sync("AAA", Array.from({ length: 500 }, (_, i) => [1_000 - i, 1] as const), []);
    const [slow, quick] = [rig.connect(), rig.connect()].map((one) =>
      one.call(BOOK, { symbol: "AAA", depth: 500 })
    );
    await slow.received(1);
    await quick.received(1);
    slow.stream.pause();
    for (let i = 1; i <= 100; i++) {
      hub.change("AAA", [[1_000, i]], []);
      await until("the quick one", () => quick.messages.at(-1)!.order_book.bids[0].quantity === i);
    }
    const [pool] = pools;
    const { client_bytes, clients } = pool.measure();
    assert.equal(clients, 2);
    assert.ok(client_bytes > 65_536, "nothing waits");
    assert.equal(pool.tenantBytes().get("everybody"), client_bytes);
    const [largest] = pool.candidates(1);
    largest.evict();
    largest.evict();
    assert.equal(pool.measure().clients, 1);
    assert.ok(pool.measure().client_bytes < client_bytes);
    slow.stream.resume();
    await slow.ended;
    assert.equal(slow.rst_code, 11);
    pool.setPressure({ refuse_newcomers: true, conflate_all: true });
    const client = rig.connect();
    assert.equal((await client.ask(BOOK, { symbol: "AAA" })).status.code, 14);
    assert.equal((await client.ask("GetOrderBook", { symbol: "AAA", depth: 1 })).bids.length, 1);
    assert.ok(admitted.length > 100);
    quick.cancel();
    await until("no call", () => server.calls === 0);
  }, { memory });
  assert.equal(pools.length, 0);
});

Deno.test("grpc access: plain and open on loopback only, unless said in words", async () => {
  const open = (config: object) => grpc.open(grpc.schema.parse(config), new FakeHub());
  const refused = async (config: object, message: RegExp) => {
    await assert.rejects(open(config), (error: UserError) => error.code === 2 && message.test(error.message));
  };
  await refused({ listen: "0.0.0.0:0" }, /^listen on "0.0.0.0:0": no TLS/);
  await refused({ listen: "0.0.0.0:0", plain: "anywhere" }, /access not set, want tenants, or the word open/);
  await using said = await open({ listen: "0.0.0.0:0", plain: "anywhere", access: "open" });
  await using loopback = await open({ listen: "127.0.0.1:0" });
  assert.match(said.url, /^http:\/\/0\.0\.0\.0:\d+$/);
  await assert.rejects(open({ listen: loopback.address }), /address in use, want a free port/);
});

async function certificate(
  openssl: string,
  folder: string,
  name: string,
): Promise<{ cert: string; key: string }> {
  const [key_file, cert_file] = [`${folder}/${name}.key`, `${folder}/${name}.pem`];
  const { success } = await new Deno.Command(openssl, {
    args: [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        .split(" "),
      ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key_file, "-out", cert_file],
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  assert.ok(success);
  return { cert: await Deno.readTextFile(cert_file), key: await Deno.readTextFile(key_file) };
}

const openssl = serviceAddress("openssl");
for (const [service, command] of Object.entries(IMPLEMENTATIONS)) {
  const name = `grpc access: ${service} by TLS with a token, over a change of the certificate`;
  if ("missing" in openssl) testUnless(openssl.missing, name, () => {});
  else {
    serviceTest(service as keyof typeof IMPLEMENTATIONS, name, async (place) => {
      const folder = await Deno.makeTempDir({ prefix: "mdg-grpc-tls-" });
      try {
        await overTls(command(place), folder, openssl.address);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}

async function overTls(command: readonly string[], folder: string, openssl: string): Promise<void> {
  const pairs = await Promise.all(["a", "b"].map((name) => certificate(openssl, folder, name)));
  const context = { clock: systemClock, log: silentLog, metrics: new Metrics(), server: "grpc" };
  await using tls = new TlsReload(pairs[0], context);
  const key = await makeKey();
  await withAccess(
    { tenants: [{ id: "one", keys: [key] }], clock: systemClock },
    ({ access }) =>
      withGrpc(async (rig) => {
        market(rig);
        const address = rig.address.replace("127.0.0.1", "localhost");
        await using before = new RemoteClient(command, address, `${folder}/a.pem`);
        assert.equal((await before.unary("GetOrderBook", { symbol: "AAA" })).code, 16);
        const stream = { name: "s", method: BOOK, request: { symbol: "AAA" }, metadata: bearer(key.key) };
        await before.open([stream]);
        await before.until(["s"], { count: 1 });
        tls.replace(pairs[1]);
        await using after = new RemoteClient(command, address, `${folder}/b.pem`);
        const book = await after.value("GetOrderBook", { symbol: "AAA", depth: 1 }, bearer(key.key));
        assert.equal(book.bids[0].price, 100);
        rig.hub.change("AAA", [[100, 3]], []);
        await before.until(["s"], { path: "order_book.bids.0.quantity", equals: 3 });
        await before.tell("cancel", ["s"]);
        await rig.assertEmpty();
      }, { access, tls }),
  );
}
