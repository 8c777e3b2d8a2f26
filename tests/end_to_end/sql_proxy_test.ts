/**
 * `mdg sql` as the team ran it: a gateway publishes to Redis, a program of its own stores that in PostgreSQL. Every trade
 * that Redis carried is a row, once; the password comes from a file.
 */
import assert from "node:assert/strict";
import { RedisServer, redisServerMissing, RedisSubscriber } from "../live/redis_server.ts";
import { SqlTables } from "../live/sql_rig.ts";
import { serviceAddress, testUnless } from "../services.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { until } from "./until.ts";

const SYMBOL = "BTCUSD";
const TRADES = 200;

const postgres = serviceAddress("postgres");
const missing = redisServerMissing() ?? ("missing" in postgres ? postgres.missing : undefined);

testUnless(missing, "mdg sql stores what another gateway publishes to Redis", async () => {
  await using redis = await RedisServer.start();
  await using tables = await SqlTables.create((postgres as { address: string }).address);
  const password_file = `${tables.folder}/password`;
  await Deno.writeTextFile(password_file, "not asked for by trust authentication\n");
  await using subscriber = new RedisSubscriber(redis.url, "trades:*");
  await subscriber.until(() => subscriber.subscribed);
  await using proxy = new DaemonProcess([
    ...["sql", "--from", redis.url, "--symbols", SYMBOL, "--venue", "simulator"],
    ...["--to", tables.url, "--to-password-file", password_file, "--schema", tables.schema],
    ...["--spool", `${tables.folder}/spool`, "--tables", "trades,books"],
  ]);
  await proxy.says("connected to postgres");
  await proxy.says("connected to redis");
  await using _gateway = await GatewayProcess.start({
    sources: [{ kind: "simulator", symbols: [SYMBOL], rate: 500 }],
    sinks: [{ kind: "redis", url: redis.url }],
    servers: [{ kind: "health", listen: "127.0.0.1:0" }],
  });
  const published = () => subscriber.payloads(`trades:${SYMBOL}`).map((payload) => JSON.parse(payload));
  await until("trades in Redis", () => published().length >= TRADES);
  const wanted = published().slice(0, TRADES);
  const rows = await until("their rows", async () => {
    const found = await tables.query(
      "SELECT trade_id, price, quantity, aggressor, venue FROM trades ORDER BY trade_id",
    ).catch(() => []);
    return found.length >= TRADES && found;
  });
  const stored = new Map(rows.map((row) => [Number(row.trade_id), row]));
  assert.equal(stored.size, rows.length, "a trade twice");
  for (const { trade_id, price, quantity, is_buyer_maker } of wanted) {
    const row = stored.get(trade_id);
    assert.deepEqual([row?.price, row?.quantity], [String(price), String(quantity)], `trade ${trade_id}`);
    assert.deepEqual([row?.aggressor, row?.venue], [is_buyer_maker ? "sell" : "buy", "simulator"]);
  }
  proxy.signal("SIGTERM");
  await until("the end", () => proxy.exit_code === 0);
});
