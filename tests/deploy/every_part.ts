/**
 * A gateway with every source, sink and server there is, for whoever wants its whole page of metrics. Redis and QuestDB
 * answer, the venue is a mock; RabbitMQ and PostgreSQL are away, so that there are errors and a spool to show.
 */
import { BookFollower } from "../end_to_end/book_follower.ts";
import { GatewayProcess, metricIn } from "../end_to_end/gateway_process.ts";
import { booksAndTrades } from "../end_to_end/live_config.ts";
import { MockProcess } from "../end_to_end/mock_process.ts";
import { until } from "../end_to_end/until.ts";
import { makeCertificate } from "../certificate.ts";
import { QuestdbRecorder } from "../live/questdb_recorder.ts";
import { RedisServer } from "../live/redis_server.ts";
import { path, runMdg } from "../mdg_process.ts";

const VENUE = "binance-futures";
const SYMBOLS = ["AAAUSDT", "BBBUSDT"];
/** Nobody listens there. */
const AWAY = "127.0.0.1:3";

interface Places {
  folder: string;
  mock: MockProcess;
  redis: RedisServer;
  questdb: QuestdbRecorder;
}

function everyPart({ folder, mock, redis, questdb }: Places) {
  const tls = { cert_file: `${folder}/cert.pem`, key_file: `${folder}/key.pem` };
  const access = {
    tenants_file: `${folder}/tenants.yaml`,
    quotas: { redis: { url: redis.url } },
    jwt: {
      issuer: "https://issuer.example",
      audience: "mdg",
      algorithms: ["ES256"],
      jwks_url: `http://${AWAY}/jwks`,
    },
  };
  return {
    memory: { budget: "1GiB" },
    sources: [
      { kind: "live", venue: VENUE, symbols: SYMBOLS, ws_url: mock.ws_url, connections: 2 },
      { kind: "simulator", symbols: ["BTCUSD"], interval_ms: 20 },
      { kind: "redis", url: redis.url, venue: "idle", symbols: ["CCC"], channels: { book: "in:{symbol}" } },
      { kind: "rabbitmq_stream", url: `rabbitmq-stream://${AWAY}`, venue: "away", symbols: ["DDD"] },
      { kind: "gateway", url: `ws://${AWAY}`, venue: "away", symbols: ["EEE"] },
      { kind: "replay", path: path(`fixtures/feeds/${VENUE}/capture.ndjson`), at_end: "stay" },
    ],
    sinks: [
      { kind: "redis", url: redis.url },
      { kind: "questdb", url: questdb.url },
      { kind: "rabbitmq_stream", url: `rabbitmq-stream://${AWAY}` },
      { kind: "sql", url: `postgres://nobody@${AWAY}/none`, spool: { folder: `${folder}/spool` } },
      { kind: "log", directory: `${folder}/logs` },
      { kind: "speak", engine: "none", rules: [{ when: "sink_down" }], webhook: { url: `http://${AWAY}/` } },
      ...Deno.build.os === "linux" ? [{ kind: "shared_memory", name: `mdg-test-parts-${Deno.pid}` }] : [],
    ],
    servers: [
      { kind: "websocket", listen: "127.0.0.1:0" },
      { kind: "restream", listen: "127.0.0.1:0", tls, access },
      { kind: "grpc", listen: "127.0.0.1:0" },
      { kind: "health", listen: "127.0.0.1:0" },
    ],
  };
}

/** Runs `body` with such a gateway, a client on it, once it has done some of everything. */
export async function withEveryPart(
  openssl: string,
  body: (gateway: GatewayProcess) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-parts-" });
  try {
    await makeCertificate(openssl, folder);
    await runMdg({ args: ["tenant", "add", "acme", "--file", `${folder}/tenants.yaml`] });
    await using redis = await RedisServer.start();
    await using questdb = await QuestdbRecorder.start("http");
    await using mock = await MockProcess.start(VENUE, ["--symbols", SYMBOLS.join(","), "--rate", "100"]);
    await using gateway = await GatewayProcess.start(everyPart({ folder, mock, redis, questdb }));
    await using follower = new BookFollower(gateway.ws_url, booksAndTrades(SYMBOLS));
    await follower.until("books", () => SYMBOLS.every((one) => follower.of(one).deltas > 20));
    await until(
      "sinks at work, and some in trouble",
      async () => {
        const page = await gateway.metricsText();
        const some = (name: string, labels = {}) => (metricIn(page, name, labels) ?? 0) > 0;
        return some("redis_publishes_total", { type: "trade" }) && some("sql_spool_rows") &&
          some("sink_published_total", { sink: "questdb", type: "trade" });
      },
      30_000,
      () => gateway.process.tail(),
    );
    await body(gateway);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
