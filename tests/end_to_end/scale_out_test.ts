/**
 * Two ingest nodes, three edges, clients spread over the edges and one behind a load balancer; Redis Cluster or RabbitMQ
 * Streams between. Nodes are killed -9 one after another while the market runs and come back: in the end every client
 * holds the venue's own book, none was ever handed a broken one, and whoever kept its edge has every trade once.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { MOCKS } from "../../lib/gateway/catalog.ts";
import type { MockVenue } from "../../lib/mocks/mock.ts";
import { freePort } from "../../scripts/services/daemon.ts";
import { RedisClusterServers } from "../live/redis_cluster.ts";
import { redisServerMissing } from "../live/redis_server.ts";
import { deleteStreams } from "../live/stream_reader.ts";
import { is_long, serviceTest, testUnless } from "../services.ts";
import { ClientFollower } from "./client_follower.ts";
import { bookOf } from "./expectation.ts";
import { firstDifference } from "./clean_book.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { TcpBalancer } from "./tcp_balancer.ts";
import { until } from "./until.ts";

const VENUE = "binance-futures";
const SYMBOLS = ["BTCUSDT", "ETHUSDT"];
const EDGES = 3;
const CHANNELS = ["book", "trades"] as const;
/** By name a symbol is asked for again and again until the edge has heard of it; by wildcard it comes with its first word. */
const BY_NAME = SYMBOLS.flatMap((symbol) => CHANNELS.map((channel) => ({ venue: VENUE, symbol, channel })));
const BY_WILDCARD = CHANNELS.map((channel) => ({ venue: VENUE, symbol: "*", channel }));
const MARKET = { interval_ms: 50, rate_per_s: 200 };
/** Of market before and after each kill. */
const CALM_MS = is_long ? 3_000 : 1_000;

/** What stands between ingest and edges. */
interface Between {
  sink: Record<string, unknown>;
  source: Record<string, unknown>;
}
type Node = { name: string; config: object; process: GatewayProcess | undefined };

function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

class Farm implements AsyncDisposable {
  readonly nodes: Node[] = [];
  readonly ports = Array.from({ length: EDGES }, () => freePort());
  readonly clients: ClientFollower[] = [];
  readonly #rest = new AsyncDisposableStack();
  mock!: MockVenue;

  static async start(between: Between, duration_ms: number): Promise<Farm> {
    const farm = new Farm();
    const stop = new AbortController();
    farm.mock = farm.#rest.use(
      await MOCKS[VENUE].open({
        listen: "127.0.0.1:0",
        symbols: SYMBOLS,
        speed: 1,
        faults: [],
        seed: "scale out",
        ...MARKET,
        duration_ms,
      }, { clock: systemClock, log: silentLog, signal: stop.signal }),
    );
    farm.#rest.defer(() => stop.abort());
    const { ws_url, rest_url } = farm.mock;
    const health = { kind: "health", listen: "127.0.0.1:0" };
    for (let i = 0; i < EDGES; i++) {
      const server = { kind: "restream", listen: `127.0.0.1:${farm.ports[i]}`, access: "open" };
      farm.nodes.push({
        name: `edge ${i}`,
        config: { sources: [between.source], servers: [server, health] },
        process: undefined,
      });
    }
    for (let i = 0; i < 2; i++) {
      const live = {
        kind: "live",
        venue: VENUE,
        symbols: SYMBOLS,
        channels: ["book", "trades"],
        ws_url,
        rest_url,
        reconnect_delay_ms: 20,
        max_reconnect_delay_ms: 200,
      };
      farm.nodes.push({
        name: `ingest ${i}`,
        config: { sources: [live], sinks: [between.sink], servers: [health] },
        process: undefined,
      });
    }
    return farm;
  }
  async startNodes(kind: "edge" | "ingest"): Promise<void> {
    await Promise.all(
      this.nodes.filter(({ name }) => name.startsWith(kind)).map((node) => this.#start(node)),
    );
  }
  /** Clients that begin at each edge in turn, and one that only knows the balancer. */
  async connect(): Promise<void> {
    const urls = this.ports.map((port) => `ws://127.0.0.1:${port}`);
    const balancer = this.#rest.use(await TcpBalancer.open(this.ports));
    for (let i = 0; i < 2 * EDGES; i++) {
      const own = urls.map((_, k) => urls[(i + k) % EDGES]);
      this.clients.push(this.#rest.use(new ClientFollower(own, i < EDGES ? BY_NAME : BY_WILDCARD)));
    }
    this.clients.push(this.#rest.use(new ClientFollower([balancer.url], BY_WILDCARD)));
    await until("the clients", () => this.clients.every(({ client }) => client.notReady() === undefined));
  }
  /** kill -9, a while without it, and it is started again. */
  async killAndRevive(name: string): Promise<void> {
    const node = this.nodes.find((one) => one.name === name)!;
    const downs = () => this.clients.reduce((sum, client) => sum + client.downs.length, 0);
    const before = downs();
    const killed_ms = systemClock.monotonic_ms();
    await node.process!.process.kill();
    await node.process![Symbol.asyncDispose]();
    node.process = undefined;
    if (name.startsWith("edge")) await until(`clients of ${name} to notice`, () => downs() > before);
    await until(
      `right books without ${name}`,
      () => this.clients.every((client) => SYMBOLS.every((symbol) => client.book(VENUE, symbol)?.in_sync)),
      30_000,
      () => this.explain(),
    );
    const healed_ms = Math.round(systemClock.monotonic_ms() - killed_ms);
    await sleep(systemClock, CALM_MS);
    await this.#start(node);
    await sleep(systemClock, CALM_MS);
    report(`killed ${name}: all books right after ${healed_ms} ms`);
  }
  /** What is not as the venue's book is in the end; nothing when all is right. */
  wrong(): string[] {
    if (!this.mock.stats().finished) return ["the market is not over"];
    return this.clients.flatMap((client, i) =>
      SYMBOLS.flatMap((symbol) => {
        const kept = client.book(VENUE, symbol);
        if (!kept?.in_sync) return [`client ${i}: ${symbol} ${kept?.reason}`];
        const { bids, asks, last_id } = this.mock.state(symbol)!;
        const want = bookOf(bids, asks);
        const levels = [kept.book!.bids.known, kept.book!.asks.known];
        if (Math.min(...levels) < 10) return [`client ${i}: ${symbol} has ${levels} levels`];
        return [
          firstDifference(kept.book!.bids, want.bids),
          firstDifference(kept.book!.asks, want.asks),
          kept.last_update_id === last_id ? undefined : `at ${kept.last_update_id}, want ${last_id}`,
        ].filter((one) => one !== undefined).map((one) => `client ${i}: ${symbol} ${one}`);
      })
    );
  }
  explain(): string {
    const clients = this.clients.map(({ client, downs, losses }) =>
      `${client.url} ${client.notReady() ?? "up"} ${downs.slice(-2)} ${losses.slice(-2)}`
    );
    const tails = this.nodes.map(({ name, process }) => `${name}: ${process?.process.tail().slice(-400)}`);
    return [...this.wrong().slice(0, 4), ...clients, ...tails].join("\n");
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client[Symbol.dispose]();
    await Promise.all(this.nodes.map(({ process }) => process?.[Symbol.asyncDispose]()));
    await this.#rest.disposeAsync();
  }

  async #start(node: Node): Promise<void> {
    node.process = await GatewayProcess.start(node.config);
  }
}

async function survives(between: Between): Promise<void> {
  const victims = is_long
    ? ["ingest 0", "edge 0", "ingest 1", "edge 1", "edge 2", "ingest 0"]
    : ["ingest 0", "edge 0", "ingest 1"];
  // Starting a node takes about a second here; on a slow machine the market is over before the last kill, which is fine.
  const duration_ms = victims.length * (2 * CALM_MS + 3_000) + 2 * CALM_MS;
  await using farm = await Farm.start(between, duration_ms);
  await farm.startNodes("edge");
  await farm.connect();
  await farm.startNodes("ingest");
  const first_right = () =>
    farm.clients.every((client) => SYMBOLS.every((symbol) => client.book(VENUE, symbol)?.in_sync));
  await until("the first books", first_right, 30_000, () => farm.explain());
  await sleep(systemClock, CALM_MS);
  for (const victim of victims) await farm.killAndRevive(victim);
  await until(
    "the venue's own book at every client",
    () => farm.wrong().length === 0,
    60_000,
    () => farm.explain(),
  );
  judge(farm);
}

/** What came on the way. */
function judge({ clients, mock }: Farm): void {
  const untouched = clients.filter(({ downs }) => downs.length === 0);
  assert.ok(untouched.length < clients.length, "nobody ever lost its edge");
  // The long form kills every edge.
  assert.ok(is_long || untouched.length > 0);
  for (const client of clients) {
    assert.deepEqual(client.unreadable, []);
    assert.equal(client.backwards, 0, "a book went back on one connection");
  }
  for (const client of untouched) {
    assert.deepEqual(client.gaps, []);
    for (const symbol of SYMBOLS) {
      const ids = client.trades.get(symbol)!;
      assert.deepEqual(ids, [...new Set(ids)], `${symbol}: trades twice`);
      assert.equal(ids.at(-1)! - ids[0] + 1, ids.length, `${symbol}: trades missing`);
      if (client.wishes === BY_WILDCARD) assert.equal(ids.length, mock.state(symbol)!.trades, symbol);
    }
  }
  const failed_over = clients.length - untouched.length;
  report(`${clients.length} clients, ${failed_over} failed over, all books the venue's own`);
}

testUnless(
  redisServerMissing(),
  "over a Redis Cluster: any one ingest or edge is killed -9, clients keep a right book",
  async () => {
    await using cluster = await RedisClusterServers.start("redis-server", systemClock);
    const where = {
      kind: "redis",
      url: cluster.url,
      topology: "cluster",
      nodes: cluster.addresses.slice(1),
      channels: { book: "orderbook:{shard}", trades: "trades:{shard}" },
    };
    await survives({
      sink: { ...where, deliver: "sharded_pubsub", order_book_depth: 1_000 },
      source: { ...where, venue: VENUE, read: "sharded_pubsub", symbols: ["*"] },
    });
  },
);

serviceTest(
  "rabbitmq",
  "over RabbitMQ Streams: any one ingest or edge is killed -9, clients keep a right book",
  async (url) => {
    const market = `mdgtest-${crypto.randomUUID()}`;
    const streams = { market, subscriptions: `${market}-subscriptions` };
    try {
      await survives({
        sink: { kind: "rabbitmq_stream", url, streams, order_book_depth: 1_000 },
        source: { kind: "rabbitmq_stream", url, stream: market, venue: VENUE, from: "first" },
      });
    } finally {
      await deleteStreams(url, Object.values(streams));
    }
  },
);
