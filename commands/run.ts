/**
 * `mdg run`: the gateway itself. With a config what it says; without one the embedded default (simulated market,
 * WebSocket, health), which needs nothing else on the machine.
 */
import { Metrics } from "../lib/base/metrics.ts";
import { askOnce } from "../lib/cli/read_input.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import type { Gateway, GatewayConfig } from "../lib/gateway/gateway.ts";
import { serveGateway } from "./gateway/serve.ts";

export const run = defineCommand({
  summary: "Run the gateway",
  description:
    "Takes live market data in, keeps the order books right, and hands them on, as the config says. Without --config " +
    "it runs the embedded default: a simulated market on a WebSocket and a health server. SIGHUP reloads the symbols.",
  flags: {
    config: { type: "text", value: "FILE", doc: "YAML, JSON5, JSONC or JSON; absent: the embedded default" },
    listen: {
      type: "text",
      value: "HOST:PORT",
      doc: "WebSocket address of the embedded default",
      default: "127.0.0.1:8080",
    },
    "health-listen": {
      type: "text",
      value: "HOST:PORT",
      doc: "health address of the embedded default",
      default: "127.0.0.1:9090",
    },
    symbols: {
      type: "list",
      value: "SYMBOL",
      doc: "symbols of the embedded default",
      default: ["BTCUSD", "ETHUSD", "ADAUSD"],
    },
    seed: { type: "text", value: "SEED", doc: "seed of jitter and simulation; absent: random" },
  },
  examples: [
    { command: "mdg run", doc: "a simulated market on ws://127.0.0.1:8080, health on http://127.0.0.1:9090" },
    { command: "mdg run --config gateway.yaml", doc: "what the config says" },
  ],
  permissions: ["ffi", "run"],
  async run(world, flags) {
    const [{ Gateway }, { permissionsFor }, { loadGatewayConfig, embeddedConfig }, { prepareReclaim }] =
      await Promise.all([
        import("../lib/gateway/gateway.ts"),
        import("../lib/gateway/catalog.ts"),
        import("../lib/gateway/config_schema.ts"),
        import("../lib/os/reclaim_memory.ts"),
      ]);
    const ask = askOnce(world);
    const load = async (): Promise<GatewayConfig> => {
      if (flags.config === undefined) {
        return embeddedConfig({
          listen: flags.listen,
          health_listen: flags["health-listen"],
          symbols: flags.symbols,
          seed: flags.seed,
        });
      }
      const { config, warnings } = await loadGatewayConfig(flags.config, {
        cwd: world.cwd,
        env: world.env,
        ask,
      });
      for (const warning of warnings) world.log.warn(warning);
      return config;
    };
    const config = await load();
    if (config.cpu !== undefined) await pin(world, [config.cpu].flat());
    prepareReclaim();
    world.restrict(permissionsFor(config.sinks));
    const gateway = await Gateway.start(config, {
      clock: world.clock,
      log: world.log,
      metrics: new Metrics(),
      version: world.version,
      seed: flags.seed ?? crypto.randomUUID(),
    });
    greet(world, gateway, flags.config);
    return await serveGateway(world, gateway, load);
  },
});

async function pin(world: World, cpus: readonly number[]): Promise<void> {
  const { pinProcess } = await import("../lib/os/cpu_affinity.ts");
  world.log.info("pinned", { cpus, threads: pinProcess(cpus) });
}

function greet(world: World, gateway: Gateway, config: string | undefined): void {
  for (const server of gateway.servers) world.log.info("listening", { server: server.name, url: server.url });
  if (config !== undefined) return;
  const web = gateway.servers.find((server) => server.url.startsWith("ws"));
  const health = gateway.servers.find((server) => server.url.startsWith("http"));
  world.stderr(
    [
      `mdg ${world.version}: simulated market, no config given`,
      web && `  WebSocket  ${web.url}   try: {"type":"subscribe","symbol":"BTCUSD","channel":"book"}`,
      health && `  health     ${health.url}/health  ${health.url}/ready  ${health.url}/metrics`,
      "  next       mdg run --config FILE   (mdg config schema shows what it may hold)",
      "  stop       Ctrl-C",
    ].filter(Boolean).join("\n") + "\n",
  );
}
