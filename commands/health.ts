/**
 * `mdg health`: one question to the health port of a running gateway, as container engines and scripts ask it. Exit code
 * 0 or 1 and nothing in between: what is worth a warning is `mdg monitor gateway --check`.
 */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";

const DEFAULT_ADDRESS = "127.0.0.1:9090";

export const health = defineCommand({
  summary: "Ask a running gateway whether it lives, or is ready: exit code 0 or 1",
  description:
    "GET /health, or /ready, of a health port; for images without curl. /health answers while the process lives, so " +
    "that a venue's trouble restarts nobody; /ready only while every book is right.",
  arguments: [{ name: "ADDRESS", doc: `the health port, HOST:PORT; absent: ${DEFAULT_ADDRESS}` }],
  flags: {
    ready: { type: "boolean", doc: "ask /ready instead of /health" },
    "timeout-ms": {
      type: "number",
      value: "MS",
      doc: "no answer for so long is a failure",
      default: 3_000,
      integer: true,
      min: 10,
      max: 600_000,
    },
  },
  examples: [
    { command: "mdg health", doc: "as a container's health check" },
    { command: "mdg health 10.0.0.5:9090 --ready", doc: "before a load balancer sends clients there" },
  ],
  async run(world, flags, [given = DEFAULT_ADDRESS]) {
    const [{ HealthPort }, { probe }] = await Promise.all([
      import("../lib/monitors/gateway/health_port.ts"),
      import("../lib/supervisor/probe.ts"),
    ]);
    const timeout_ms = flags["timeout-ms"];
    const { url } = new HealthPort({ url: given, clock: world.clock, timeout_ms });
    const http = `${url}${flags.ready ? "/ready" : "/health"}`;
    const fault = await probe({ http }, timeout_ms, world.clock);
    if (fault !== undefined) throw new UserError(fault);
    await world.stdout(`${http}: well\n`);
    return 0;
  },
});
