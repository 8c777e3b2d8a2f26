/** The public server: tokens, rights, quotas, certificates, in one thread and with Workers. */
import assert from "node:assert/strict";
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { sleep, systemClock } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { makeKey, type NewKey } from "../../../../lib/servers/access/api_key.ts";
import { restream } from "../../../../lib/servers/restream/restream.ts";
import type { Server } from "../../../../lib/servers/server.ts";
import { makeCertificate } from "../../../certificate.ts";
import { serviceTest } from "../../../services.ts";
import { tenantsText, type TenantText } from "../access/tenants_rig.ts";
import { FakeHub, type Pairs } from "../fake_hub.ts";
import { hubBook, MirrorBook, TestClient } from "./test_client.ts";

const BIDS: Pairs = [[100.1, 1], [100, 2]];
const ASKS: Pairs = [[100.2, 1.5], [100.3, 3]];

interface Rig {
  server: Server;
  hub: FakeHub;
  key: NewKey;
  path: string;
  write(tenants: TenantText[]): Promise<void>;
}

async function withTenants(
  tenant: Partial<TenantText>,
  work: (rig: Rig) => Promise<void>,
  config: Record<string, unknown> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/tenants.yaml`;
  const write = async (tenants: TenantText[]) => {
    await Deno.writeTextFile(`${path}.new`, tenantsText(tenants), { mode: 0o600 });
    await Deno.rename(`${path}.new`, path);
  };
  const key = makeKey();
  await write([{ id: "acme", keys: [key], ...tenant }]);
  const hub = new FakeHub(systemClock);
  hub.sync("BTCUSDT", BIDS, ASKS);
  hub.sync("ETHUSDT", BIDS, ASKS);
  const server = await restream.open(
    restream.schema.parse({
      listen: "127.0.0.1:0",
      access: { tenants_file: path, check_every_ms: 100 },
      accepts_per_second_per_address: 1_000,
      ...config,
    }),
    hub,
  );
  try {
    await work({ server, hub, key, path, write });
  } finally {
    await server[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** The status of a refused handshake. */
async function refused(url: string, options: object = {}): Promise<number | undefined> {
  const ws = new WebSocket(url, options);
  const refusal = Promise.withResolvers<number | undefined>();
  ws.on("unexpected-response", (_request, response) => {
    refusal.resolve(response.statusCode);
    ws.terminate();
  });
  ws.on("open", () => {
    refusal.resolve(undefined);
    ws.terminate();
  });
  ws.on("error", () => {});
  const closed = new Promise<void>((resolve) => ws.on("close", () => resolve()));
  const status = await refusal.promise;
  await closed;
  return status;
}

for (const workers of [0, 2]) {
  const where = workers === 0 ? "one thread" : `${workers} workers`;
  const edge = { edge: { workers } };

  Deno.test(`restream, ${where}: a token by header or as the first message; nothing of the market before`, () =>
    withTenants({}, async ({ server, key }) => {
      assert.equal(await refused(server.url, bearer("mdg_nobody_nothing")), 401);
      assert.equal(await refused(`${server.url}/?token=${key.key}`), 400);
      await using by_header = await TestClient.connect(server, "/", bearer(key.key));
      assert.equal(by_header.messages[0].channels.length, 7);
      assert.ok((await by_header.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book" })).epoch);

      await using by_message = await TestClient.connect(server);
      assert.deepEqual(Object.keys(by_message.messages[0]).sort(), [
        "auth",
        "auth_timeout_ms",
        "server",
        "type",
        "version",
      ]);
      const early = await by_message.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book" });
      assert.equal(early.code, "auth_required");
      const answer = await by_message.ask({ type: "auth", token: key.key });
      assert.deepEqual([answer.type, answer.tenant], ["authenticated", "acme"]);
      await by_message.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book" });
      await by_message.next("snapshot");

      await using wrong = await TestClient.connect(server);
      wrong.send({ type: "auth", token: `${key.key}x` });
      await wrong.end();
      assert.equal(wrong.closed!.code, 4501);
      assert.equal(wrong.messages[1].code, "unauthorized");
      await using silent = await TestClient.connect(server);
      await silent.end();
      assert.equal(silent.closed!.code, 4501, "no token in time");
      await using long = await TestClient.connect(server);
      long.send({ type: "auth", token: "x".repeat(5_000) });
      await long.end();
      assert.equal(long.closed!.code, 4501);
    }, { ...edge, auth_timeout_ms: 500 }));

  Deno.test(`restream, ${where}: rights by venue, symbol, channel and depth; quotas over all workers`, () =>
    withTenants({
      allow: [{ symbols: ["BTC*"], channels: ["book", "trades"], max_depth: 20 }],
      quotas: { connections: 3, subscriptions: 2 },
    }, async ({ server, key }) => {
      await using client = await TestClient.connect(server, "/", bearer(key.key));
      const ask = (more: object) =>
        client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book", ...more });
      assert.equal((await ask({})).code, "not_entitled", "the whole book is more than 20 levels");
      assert.equal((await ask({ depth: 50 })).code, "not_entitled");
      assert.equal((await ask({ symbol: "ETHUSDT", depth: 5 })).code, "not_entitled");
      assert.equal((await ask({ channel: "ticker" })).code, "not_entitled");
      assert.equal((await ask({ depth: 20 })).type, "subscribed");
      const all = await ask({ symbol: "*", channel: "trades" });
      assert.deepEqual(all.instruments.map(({ symbol }: { symbol: string }) => symbol), ["BTCUSDT"]);

      const others: TestClient[] = [];
      for (let i = 0; i < 2; i++) others.push(await TestClient.connect(server, "/", bearer(key.key)));
      assert.equal(await refused(server.url, bearer(key.key)), 429, "the fourth connection of three");
      await others[0][Symbol.asyncDispose]();
      let status: number | undefined = 429;
      for (let i = 0; i < 100 && status === 429; i++) status = await refused(server.url, bearer(key.key));
      assert.equal(status, undefined, "a place that came free is given again");
      await others[1][Symbol.asyncDispose]();
    }, edge));

  Deno.test(`restream, ${where}: a revoked key ends its connections, narrower rights end what they no longer cover`, () =>
    withTenants({}, async ({ server, key, write }) => {
      await using client = await TestClient.connect(server, "/", bearer(key.key));
      for (const symbol of ["BTCUSDT", "ETHUSDT"]) {
        await client.ask({ type: "subscribe", symbol, channel: "book", depth: 5 });
      }
      await write([{ id: "acme", keys: [key], allow: [{ symbols: ["ETHUSDT"] }] }]);
      const ended = await client.next("unsubscribed");
      assert.deepEqual([ended.symbol, ended.reason], ["BTCUSDT", "not_entitled"]);
      await write([{ id: "acme", keys: [{ ...key, revoked: "2026-01-01T00:00:00Z" }] }]);
      await client.end();
      assert.equal(client.closed!.code, 4503);
      assert.equal(await refused(server.url, bearer(key.key)), 401);
    }, edge));

  serviceTest(
    "openssl",
    `restream, ${where}: a new certificate is served without losing a message of old clients`,
    (openssl) =>
      withTenants({}, async ({ key, path }) => {
        const folder = `${path.slice(0, path.lastIndexOf("/"))}/tls`;
        await Deno.mkdir(folder);
        const first = await makeCertificate(openssl, folder);
        const hub = new FakeHub(systemClock);
        hub.sync("BTCUSDT", BIDS, ASKS);
        const server = await restream.open(
          restream.schema.parse({
            listen: "127.0.0.1:0",
            tls: { cert_file: `${folder}/cert.pem`, key_file: `${folder}/key.pem`, check_every_ms: 100 },
            access: { tenants_file: path },
            ...edge,
          }),
          hub,
        );
        try {
          const options = { ...bearer(key.key), ca: first };
          const clients = await Promise.all([0, 1, 2, 3].map(() => TestClient.connect(server, "/", options)));
          for (const client of clients) {
            await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book" });
            await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "trades" });
            await client.next("snapshot");
          }
          const second = await makeCertificate(openssl, folder);
          let trades = 0;
          let served = false;
          while (!served) {
            for (let i = 0; i < 20; i++) {
              hub.trade("BTCUSDT", ++trades);
              hub.change("BTCUSDT", [[99 - trades % 7, trades]], []);
            }
            await sleep(systemClock, 20);
            const probe = new WebSocket(server.url, { ...bearer(key.key), ca: second });
            const opened = once(probe, "open").then(() => true, () => false);
            served = await opened;
            probe.terminate();
          }
          hub.trade("BTCUSDT", ++trades);
          hub.flush();
          for (const client of clients) {
            await client.next("trade", ({ trade_id }) => trade_id === trades);
            assert.equal(client.messages.filter(({ type }) => type === "trade").length, trades);
            const mirror = new MirrorBook();
            for (const message of client.messages) mirror.take(message);
            assert.deepEqual([mirror.lags, mirror.sorted()], [0, hubBook(hub, "BTCUSDT")]);
            await client[Symbol.asyncDispose]();
          }
        } finally {
          await server[Symbol.asyncDispose]();
        }
      }),
  );
}

Deno.test("restream: plain sockets beyond loopback are refused at the start, and so is a config without a word on access", async () => {
  const hub = new FakeHub();
  const open = (config: object) => restream.open(restream.schema.parse(config), hub);
  await assert.rejects(
    open({ listen: "0.0.0.0:0", access: "open" }),
    (error: UserError) =>
      error.code === 2 && /no TLS/.test(error.message) && /plain: anywhere/.test(error.hint!),
  );
  const anywhere = await open({ listen: "0.0.0.0:0", plain: "anywhere", access: "open" });
  await anywhere[Symbol.asyncDispose]();
  assert.equal(restream.schema.safeParse({ listen: "127.0.0.1:0" }).success, false);
});

Deno.test("restream: at the end everybody is told when to come back, and what waited for them comes first", async () => {
  for (const workers of [0, 2]) {
    const hub = new FakeHub(systemClock);
    hub.sync("BTCUSDT", BIDS, ASKS);
    const server = await restream.open(
      restream.schema.parse({ listen: "127.0.0.1:0", access: "open", edge: { workers } }),
      hub,
    );
    const clients = await Promise.all([0, 1, 2, 3, 4].map(() => TestClient.connect(server)));
    for (const client of clients) {
      await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "trades" });
      await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "status" });
      await client.next("status");
    }
    for (let id = 1; id <= 500; id++) hub.trade("BTCUSDT", id);
    hub.flush();
    await server[Symbol.asyncDispose]();
    const hints = new Set<number>();
    for (const client of clients) {
      await client.end();
      assert.equal(client.closed!.code, 1001);
      assert.equal(client.messages.filter(({ type }) => type === "trade").length, 500);
      const notice = client.messages.find(({ type }) => type === "notice")!;
      assert.equal(notice.code, "shutdown");
      hints.add(notice.retry_after_ms);
    }
    assert.ok(hints.size > 1, "all at the same moment");
  }
});
