/** examples/websocket: clients of the restream protocol that share no code with the server, and the client that does. */
import assert from "node:assert/strict";
import { chromium as browser } from "playwright-core";
import { freePort } from "../../scripts/services/daemon.ts";
import { DaemonProcess } from "../end_to_end/daemon_process.ts";
import { GatewayProcess, metricIn } from "../end_to_end/gateway_process.ts";
import { until } from "../end_to_end/until.ts";
import { path } from "../mdg_process.ts";
import { assertPrices, consumerTest, denoArgs, linesOf, withProgram } from "./consumer.ts";

const SYMBOL = "BTCUSD";

async function serving(): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.start({
    sources: [{ kind: "simulator", symbols: [SYMBOL], interval_ms: 20, rate: 200 }],
    servers: [{ kind: "websocket", listen: "127.0.0.1:0" }, { kind: "health", listen: "127.0.0.1:0" }],
  });
  await gateway.untilReady();
  return gateway;
}

consumerTest([], "WebSocket in TypeScript", async () => {
  await using gateway = await serving();
  const args = denoArgs("examples/websocket/book.ts", [gateway.ws_url, SYMBOL, "20"]);
  assertPrices(await linesOf(Deno.execPath(), args), SYMBOL, 20);
});

consumerTest(["python_websockets"], "WebSocket in Python", async (at) => {
  await using gateway = await serving();
  const args = [path("examples/websocket/book.py"), gateway.ws_url, SYMBOL, "20"];
  assertPrices(await linesOf(at.python_websockets, args), SYMBOL, 20);
});

consumerTest(["python_websockets"], "WebSocket in Python: goes on when the server comes back", async (at) => {
  const address = `127.0.0.1:${freePort()}`;
  const words = ["run", "--symbols", SYMBOL, "--listen", address, "--health-listen", "127.0.0.1:0"];
  const args = [path("examples/websocket/book.py"), `ws://${address}`, SYMBOL, "60"];
  let reading: Promise<string[]>;
  {
    await using first = new DaemonProcess(words);
    const { url } = await first.says("listening", { server: "health" });
    await first.says("listening", { server: "websocket" });
    reading = linesOf(at.python_websockets, args);
    await until("the reader to have some", async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return (metricIn(text, "mdg_websocket_sent_frames_total") ?? 0) > 10;
    });
    await first.kill();
  }
  await using second = new DaemonProcess(words);
  await second.says("listening", { server: "websocket" });
  assertPrices(await reading, SYMBOL, 60);
});

consumerTest(["c_compiler", "libwebsockets"], "WebSocket in C", async (at) => {
  await using gateway = await serving();
  const { hostname, port } = new URL(gateway.ws_url);
  await withProgram(at.c_compiler, "examples/websocket/bbo.c", [at.libwebsockets], async (program) => {
    const quotes = (await linesOf(program, [hostname, port, SYMBOL, "5"])).map((line) => JSON.parse(line));
    assert.equal(quotes.length, 5);
    assert.ok(quotes.every(({ symbol, bid, ask }) => symbol === SYMBOL && bid[0] < ask[0]));
  });
});

consumerTest(["chromium"], "WebSocket in a web page", async (at) => {
  await using gateway = await serving();
  const page_text = await Deno.readTextFile(path("examples/websocket/book.html"));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(page_text, { headers: { "content-type": "text/html; charset=utf-8" } }),
  );
  const chrome = await browser.launch({
    executablePath: at.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    const page = await chrome.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/?url=${gateway.ws_url}&symbol=${SYMBOL}`);
    await page.waitForFunction("document.querySelectorAll('#bids tr').length === 10");
    const seen = await page.locator("#state").textContent();
    await page.waitForFunction(`document.getElementById("state").textContent !== ${JSON.stringify(seen)}`);
    const price = async (side: string, row: string) =>
      Number(await page.locator(`${side} tr:${row} td:first-child`).textContent());
    assert.ok(await price("#bids", "first-child") < await price("#asks", "last-child"));
  } finally {
    await chrome.close();
    await server.shutdown();
  }
});
