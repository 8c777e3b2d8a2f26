/**
 * The protocol over a real socket, driven by clients that share no code with the server: npm ws on Node, and the
 * WebSocket of headless Chromium; compressed and plain. conformance.js is the whole of what they know.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { type DepthServer, openDepthServer } from "../../../../lib/servers/depth/depth_server.ts";
import { serviceTest } from "../../../services.ts";
import { conform } from "./conformance.js";

const STEPS = 14;

async function withServer(
  compression: boolean,
  work: (server: DepthServer) => Promise<void>,
  delta = true,
): Promise<void> {
  const world = { clock: systemClock, log: silentLog, version: "0.0.0" };
  const server = await openDepthServer({
    listen: "127.0.0.1:0",
    symbols: ["BTCUSD", "ETHUSD"],
    seed: "conformance",
    interval_ms: 20,
    rate_per_s: 2_000,
    scenario: "calm",
    max_clients: 10,
    delta,
    compression,
    heartbeat_ms: 200,
  }, world);
  try {
    await work(server);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

for (const compression of [false, true]) {
  const how = compression ? "compressed" : "plain";

  Deno.test(`conformance, Deno's own WebSocket, ${how}`, () =>
    withServer(compression, async (server) => {
      const passed = await conform(server.url, WebSocket);
      assert.equal(passed.length, STEPS, passed.join());
    }));

  serviceTest(
    "node",
    `conformance, npm ws on Node, ${how}`,
    (node) =>
      withServer(compression, async (server) => {
        const script = `
        import { WebSocket } from ${JSON.stringify(wsModule())};
        import { conform } from ${JSON.stringify(new URL("./conformance.js", import.meta.url).href)};
        console.log(JSON.stringify(await conform(${JSON.stringify(server.url)}, WebSocket)));
      `;
        const { code, stdout, stderr } = await new Deno.Command(node, {
          args: ["--input-type=module", "--eval", script],
          stdin: "null",
        }).output();
        const decoder = new TextDecoder();
        assert.equal(code, 0, decoder.decode(stderr));
        assert.equal(JSON.parse(decoder.decode(stdout)).length, STEPS);
      }),
  );

  serviceTest(
    "chromium",
    `conformance, headless Chromium, ${how}`,
    (executablePath) =>
      withServer(compression, async (server) => {
        const { chromium } = await import("playwright-core");
        const browser = await chromium.launch({
          executablePath,
          args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        });
        try {
          const page = await browser.newPage();
          await page.goto(server.health_url);
          // The function is sent as text, so it brings nothing of ours along.
          const passed = await page.evaluate(`(${conform})(${JSON.stringify(server.url)}, WebSocket)`);
          assert.equal((passed as string[]).length, STEPS);
        } finally {
          await browser.close();
        }
      }),
  );
}

Deno.test("canary: the suite fails at a server that does not send changes", () =>
  withServer(
    false,
    (server) => assert.rejects(conform(server.url, WebSocket), /Subscribed, and before any data/),
    false,
  ));

/** Where npm's ws lies on this machine; Node knows no bare names of ours. */
function wsModule(): string {
  const entry = createRequire(import.meta.url).resolve("ws");
  return `file://${entry.replace(/index\.js$/, "wrapper.mjs")}`;
}
