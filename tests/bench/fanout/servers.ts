/**
 * The servers of the fan-out bench: ours (one thread or Workers), and the plain way, `ws.send` for every message and
 * client. All send the same JSON trades. Says its address, then does what lines of JSON tell it: `saturate` feeds as fast
 * as clients take it (with `credit`: as lines `{"slowest"}` allow), `pace` by an open schedule whatever the clients do, each trade
 * carrying the microsecond it was meant for; `stop`, `collect` (garbage).
 * Run: deno run -A servers.ts websocket|restream|naive [--burst=N] [--workers=N] [--max-clients=N] [--tls=FOLDER]
 */
import { createServer } from "node:http";
// @ts-types="@types/ws"
import { WebSocket, WebSocketServer } from "ws";
import { nextTurn, sleep, systemClock } from "../../../lib/base/clock.ts";
import { restream } from "../../../lib/servers/restream/restream.ts";
import { websocket } from "../../../lib/servers/restream/websocket.ts";
import { FakeHub } from "../../lib/servers/fake_hub.ts";
import { say, words } from "./pinned_process.ts";

/** Messages of one turn of the feed: as many as come with one read of a busy venue's socket. */
const BURST = Number(option("burst") ?? 64);
/** With credit: messages ahead of the slowest client. */
const CREDIT = 8_192;
/** Where the plain server, or ours, counts as behind: bytes waiting for one client. */
const BEHIND_BYTES = 65_536;
const VENUE = "binance-futures";
const SYMBOL = "BTCUSDT";

interface Fed {
  readonly address: string;
  /** One trade to everybody; the id is its time, where there is a schedule. */
  trade(id: number): void;
  /** The turn is over. */
  flush(): void;
  behind(): boolean;
  facts?(): object;
}

function option(name: string): string | undefined {
  return Deno.args.find((word) => word.startsWith(`--${name}=`))?.split("=")[1];
}

async function openMdg(kind: string): Promise<Fed> {
  const hub = new FakeHub();
  hub.sync(SYMBOL, [[100, 1]], [[101, 1]], 1, VENUE);
  const max_clients = Number(option("max-clients") ?? 1_000);
  const edge_options = { listen: "127.0.0.1:0", heartbeat_ms: 300_000, max_clients };
  const tls = option("tls");
  const server = kind === "websocket"
    ? await websocket.open(websocket.schema.parse(edge_options), hub)
    : await restream.open(
      restream.schema.parse({
        ...edge_options,
        access: "open",
        edge: { workers: Number(option("workers") ?? 0) },
        ...tls ? { tls: { cert_file: `${tls}/cert.pem`, key_file: `${tls}/key.pem` } } : {},
        max_connections_per_address: max_clients + 64,
        accepts_per_second_per_address: 100_000,
        max_unauthenticated: max_clients + 64,
      }),
      hub,
    );
  const gauge = (name: string) => hub.metrics.gauge(name, "").with();
  const queued = gauge("mdg_websocket_queued_bytes");
  const clients = gauge("mdg_websocket_clients");
  return {
    address: server.address,
    trade: (id) => hub.trade(SYMBOL, id, 61_234.5, 0.125, VENUE),
    flush: () => hub.flush(),
    behind() {
      hub.metrics.collect();
      return queued.value > clients.value * BEHIND_BYTES;
    },
    facts: () => ({
      laps: hub.metrics.counter("mdg_websocket_worker_laps_total", "").with().value,
      skipped:
        hub.metrics.counter("mdg_websocket_skipped_frames_total", "", ["channel"]).with("trades").value,
    }),
  };
}

async function openNaive(): Promise<Fed> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  let seq = 1;
  return {
    address: `127.0.0.1:${(http.address() as { port: number }).port}`,
    trade(id) {
      const text = JSON.stringify({
        type: "trade",
        venue: VENUE,
        symbol: SYMBOL,
        seq: seq++,
        trade_id: id,
        price: 61_234.5,
        quantity: 0.125,
        timestamp: 1_700_000_000_123,
        is_buyer_maker: true,
      });
      for (const client of server.clients) client.send(text);
    },
    flush() {},
    behind() {
      for (const client of server.clients) {
        if ((client as unknown as WebSocket).bufferedAmount > BEHIND_BYTES) return true;
      }
      return false;
    },
  };
}

/** What the feed is doing; a new one ends the one before. */
let feeding: { stop: boolean } = { stop: true };
let credit = Infinity;
let sent = 0;

async function saturate(server: Fed): Promise<void> {
  const own = feeding = { stop: false };
  let id = Math.floor(systemClock.now_us());
  while (!own.stop) {
    for (let i = 0; i < BURST; i++) server.trade(id++);
    server.flush();
    sent += BURST;
    await nextTurn();
    // A core that waits must not look busy: no spinning here.
    while (!own.stop && (sent > credit || server.behind())) await sleep(systemClock, 1);
  }
}

async function pace(server: Fed, per_second: number): Promise<void> {
  const own = feeding = { stop: false };
  const from_us = systemClock.now_us();
  const step_us = 1e6 / per_second;
  let paced = 0;
  while (!own.stop) {
    const due = Math.floor((systemClock.now_us() - from_us) / step_us);
    if (paced < due) {
      // What a stall made late carries the time at which it was due.
      while (paced < due) server.trade(Math.floor(from_us + ++paced * step_us));
      server.flush();
    }
    await nextTurn();
  }
  say({ paced, seconds: (systemClock.now_us() - from_us) / 1e6, ...server.facts?.() });
}

const server = Deno.args[0] === "naive" ? await openNaive() : await openMdg(Deno.args[0]);
say({ address: server.address });
for await (const word of words()) {
  if (word.slowest !== undefined) credit = word.slowest + CREDIT;
  else if (word.do === "saturate") {
    sent = 0;
    credit = word.credit ? CREDIT : Infinity;
    void saturate(server);
  } else if (word.do === "pace") void pace(server, word.per_second);
  else if (word.do === "stop") feeding.stop = true;
  else if (word.do === "collect") {
    const { gc } = globalThis as { gc?: () => void };
    gc?.();
    gc?.();
    say({ collected: gc !== undefined });
  } else if (word.do === "facts") say({ sent, ...server.facts?.() });
}
Deno.exit(0);
