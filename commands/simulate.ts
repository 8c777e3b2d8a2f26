/**
 * `mdg simulate`: the market depth server. Prints one JSON line with its addresses when ready; serves until Ctrl-C.
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../lib/base/errors.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import { replayOrders } from "./simulate/replay_orders.ts";
import type { ScenarioName } from "../lib/simulation/scenarios.ts";

/** Static, so that help needs no simulation; the type keeps it equal to the scenarios there are. */
const SCENARIOS: readonly string[] = Object.keys(
  { calm: 1, trend: 1, "flash-crash": 1, halt: 1, burst: 1 } satisfies Record<ScenarioName, 1>,
);

export const simulate = defineCommand({
  summary: "Serve simulated order books over WebSocket",
  description:
    "A market depth server with a true matching book per symbol: market by price (MBP), market by order (MBO) and " +
    "trades, any number of streams on one connection, /health on the same port. Order flow is 40 % new, 30 % changed, " +
    "30 % cancelled orders around the best prices. Scenarios: calm; trend (3 % up in half an hour, then down); " +
    "flash-crash (8 % down in 20 s); halt (30 s without an order); burst (50 times the rate for 10 s).",
  arguments: [{ name: "SYMBOL", doc: "further symbols", many: true }],
  flags: {
    addr: {
      type: "text",
      value: "HOST:PORT",
      default: "127.0.0.1:8080",
      doc: "where to listen; port 0 picks one",
    },
    symbols: {
      type: "list",
      value: "SYMBOL",
      default: ["BTCUSD", "ETHUSD", "ADAUSD"],
      doc: "any names; well-known ones have realistic prices",
    },
    interval: {
      type: "number",
      value: "MS",
      default: 300,
      integer: true,
      min: 1,
      max: 60_000,
      doc: "time between market data updates",
    },
    rate: {
      type: "number",
      value: "N",
      default: 20,
      min: 0.01,
      max: 100_000,
      doc: "order actions a second and symbol",
    },
    volatility: {
      type: "number",
      value: "FRACTION",
      min: 0,
      max: 100,
      doc: "annualised, 0.6 is 60 % a year; absent: typical of the symbol",
    },
    scenario: {
      type: "text",
      value: "NAME",
      choices: SCENARIOS,
      default: "calm",
      doc: "how the market behaves",
    },
    seed: {
      type: "text",
      value: "TEXT",
      doc: "the same seed gives the same market; absent: random, and told",
    },
    start: {
      type: "text",
      value: "TIME",
      doc: "simulated time of the opening, ISO 8601; with --seed two runs are the same to the byte",
    },
    delta: { type: "boolean", doc: 'clients may ask for changes with "delta":true' },
    compression: { type: "boolean", doc: "clients may negotiate permessage-deflate" },
    "max-clients": {
      type: "number",
      value: "N",
      default: 10_000,
      integer: true,
      min: 1,
      max: 100_000,
      doc: "connections beyond are answered 503",
    },
    replay: {
      type: "text",
      value: "FILE",
      doc: "serve the orders of a Databento MBO file instead of a simulation",
    },
    speed: { type: "text", value: "max|N", default: "1", doc: "of --replay: market seconds a second" },
    "tls-cert": { type: "text", value: "FILE", doc: "certificate chain, PEM: serve wss" },
    "tls-key": { type: "text", value: "FILE", doc: "its private key, PEM" },
  },
  examples: [
    { command: "mdg simulate --symbols BTCUSD", doc: "one market on ws://127.0.0.1:8080" },
    { command: "mdg simulate --replay glbx.mbo.dbn.zst", doc: "real orders with their places in the queue" },
    { command: "mdg simulate --scenario flash-crash --seed 7", doc: "a bad day, the same one every time" },
    {
      command: "mdg simulate --interval 50 --rate 2000 --compression --delta",
      doc: "a busy market for load tests",
    },
  ],
  async run(world, flags, further) {
    const { openDepthServer } = await import("../lib/servers/depth/depth_server.ts");
    const played = flags.replay === undefined
      ? undefined
      : await replayOrders(world, flags.replay, flags.speed, flags.delta);
    const seed = flags.seed ?? crypto.randomUUID().slice(0, 8);
    const server = await openDepthServer({
      listen: flags.addr,
      symbols: [...flags.symbols, ...further],
      feeds: played?.feeds,
      seed,
      start_us: flags.start === undefined ? undefined : startOf(flags.start),
      interval_ms: flags.interval,
      rate_per_s: flags.rate,
      volatility: flags.volatility,
      // the frame has checked it against the choices
      scenario: flags.scenario as ScenarioName,
      max_clients: flags["max-clients"],
      delta: flags.delta,
      compression: flags.compression,
      tls: await readTls(world, flags["tls-cert"], flags["tls-key"]),
    }, world);
    try {
      const { url, health_url } = server;
      const symbols = played?.feeds.map((feed) => feed.symbol) ??
        [...new Set([...flags.symbols, ...further])];
      const ready = { url, health_url, symbols, seed, interval_ms: flags.interval };
      await world.stdout(JSON.stringify(ready) + "\n");
      played?.begin();
      world.stderr(
        `${played ? "replayed" : "simulated"} market on ${url}, stop with Ctrl-C; try sending\n` +
          `  {"type":"Subscribe","stream_id":"1","symbol":"${
            symbols[0]
          }","data_type":"MBP","max_levels":20}\n`,
      );
      if (!world.signal.aborted) {
        await new Promise((resolve) => world.signal.addEventListener("abort", resolve, { once: true }));
      }
      return 0;
    } finally {
      await played?.end();
      await server[Symbol.asyncDispose]();
    }
  },
});

/** Microseconds since the Unix epoch. */
function startOf(text: string): number {
  const start_ms = Date.parse(text);
  if (Number.isFinite(start_ms)) return start_ms * 1000;
  throw new UserError(`start at ${quoted(text)}: not a time, want ISO 8601`, {
    code: 2,
    hint: "for example --start 2024-08-08T12:00:00Z",
  });
}

async function readTls(
  world: World,
  cert: string | undefined,
  key: string | undefined,
): Promise<{ cert: string; key: string } | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? "--tls-cert" : "--tls-key";
    throw new UserError(`serve TLS: ${missing} is missing, want both --tls-cert and --tls-key`, { code: 2 });
  }
  return { cert: await readPem(world, "certificate", cert), key: await readPem(world, "private key", key) };
}

async function readPem(world: World, what: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(isAbsolute(path) ? path : join(world.cwd, path));
  } catch (error) {
    throw new UserError(`read ${what} ${quoted(path)}: ${reasonOf(error)}`, { cause: error });
  }
}
