/**
 * The servers of the fan-out bench, each fed as fast as its clients take it: ours, and the plain way (`ws.send` for every
 * message and client). Both send JSON trades of the same size; a burst of BURST messages is one turn of the feed.
 * Run: deno run -A servers.ts mdg|naive SECONDS
 */
import { createServer } from "node:http";
import process from "node:process";
// @ts-types="@types/ws"
import { WebSocket, WebSocketServer } from "ws";
import { nextTurn, systemClock } from "../../../lib/base/clock.ts";
import { websocket } from "../../../lib/servers/restream/websocket.ts";
import { FakeHub } from "../../lib/servers/fake_hub.ts";

export const BURST = 16;
const say = (value: object) => Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));

async function feed(seconds: number, burst: () => void, behind: () => boolean): Promise<void> {
  const end_ms = systemClock.monotonic_ms() + seconds * 1000;
  let sent = 0;
  const cpu = process.cpuUsage();
  while (systemClock.monotonic_ms() < end_ms) {
    burst();
    sent += BURST;
    do await nextTurn(); while (behind() && systemClock.monotonic_ms() < end_ms);
  }
  const used = process.cpuUsage(cpu);
  say({ sent, cpu_s: (used.user + used.system) / 1e6 });
}

async function mdg(seconds: number): Promise<void> {
  const hub = new FakeHub();
  hub.sync("BTCUSDT", [[100, 1]], [[101, 1]], 1, "binance-futures");
  const server = await websocket.open(
    websocket.schema.parse({ listen: "127.0.0.1:0", heartbeat_ms: 60_000 }),
    hub,
  );
  say({ address: server.address });
  await Deno.stdin.read(new Uint8Array(1));
  let id = 5_000_000_000;
  const queued = hub.metrics.gauge(
    "mdg_websocket_queued_bytes",
    "Bytes waiting for clients, shared frames counted for each",
  ).with();
  await feed(seconds, () => {
    for (let i = 0; i < BURST; i++) hub.trade("BTCUSDT", id++, 61_234.5, 0.125, "binance-futures");
    hub.flush();
  }, () => {
    hub.metrics.collect();
    return queued.value > 50 * 131_072;
  });
  await Deno.stdin.read(new Uint8Array(1));
  await server[Symbol.asyncDispose]();
}

async function naive(seconds: number): Promise<void> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address() as { port: number };
  say({ address: `127.0.0.1:${address.port}` });
  await Deno.stdin.read(new Uint8Array(1));
  let id = 5_000_000_000;
  let seq = 1;
  await feed(seconds, () => {
    for (let i = 0; i < BURST; i++) {
      const text = JSON.stringify({
        type: "trade",
        venue: "binance-futures",
        symbol: "BTCUSDT",
        seq: seq++,
        trade_id: id++,
        price: 61_234.5,
        quantity: 0.125,
        timestamp: 1_700_000_000_123,
        is_buyer_maker: true,
      });
      for (const client of server.clients) client.send(text);
    }
  }, () => {
    for (const client of server.clients) {
      if ((client as unknown as WebSocket).bufferedAmount > 131_072) return true;
    }
    return false;
  });
  await Deno.stdin.read(new Uint8Array(1));
  Deno.exit(0);
}

const [kind, seconds] = Deno.args;
await (kind === "mdg" ? mdg(Number(seconds)) : naive(Number(seconds)));
Deno.exit(0);
