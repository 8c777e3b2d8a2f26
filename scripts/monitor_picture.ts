/**
 * The picture of the README: `mdg monitor gateway` in a real terminal (tmux), looking at a real `mdg run` that reads two
 * mock venues and a simulated market and serves three clients. Everything listens on free ports of this machine.
 */
// @ts-types="@types/ws"
import WebSocket from "ws";
import { sleep, systemClock } from "../lib/base/clock.ts";
import { GatewayProcess } from "../tests/end_to_end/gateway_process.ts";
import { MockProcess } from "../tests/end_to_end/mock_process.ts";
import { TmuxScreen } from "../tests/live/tmux_screen.ts";
import { terminalSvg } from "./terminal_svg.ts";

const COLUMNS = 112;
const ROWS = 34;
/** Until a minute's windows of latencies hold something. */
const WARM_UP_MS = 20_000;

const VENUES: Readonly<Record<string, readonly string[]>> = {
  "binance-futures": ["BTCUSDT", "ETHUSDT", "SOLUSDT"],
  "kraken": ["BTC/USD", "ETH/USD"],
};

export async function monitorPicture(): Promise<string> {
  await using all = new AsyncDisposableStack();
  const sources = [];
  for (const [venue, symbols] of Object.entries(VENUES)) {
    const words = [
      "--symbols",
      symbols.join(","),
      "--rate",
      "200",
      "--interval",
      "50",
      "--listen",
      "127.0.0.1:0",
    ];
    const mock = all.use(await MockProcess.start(venue, words));
    sources.push({ kind: "live", venue, symbols, ws_url: mock.ws_url, channels: ["book", "trades"] });
  }
  const folder = await Deno.makeTempDir({ prefix: "mdg-picture-" });
  all.defer(() => Deno.remove(folder, { recursive: true }));
  const gateway = all.use(
    await GatewayProcess.start({
      sources: [...sources, { kind: "simulator", symbols: ["BTCUSD"] }],
      sinks: [{ kind: "log", directory: folder }],
      servers: [{ kind: "websocket", listen: "127.0.0.1:0" }, { kind: "health", listen: "127.0.0.1:0" }],
    }),
  );
  await gateway.untilReady();
  for (let count = 0; count < 3; count++) {
    const client = new WebSocket(gateway.ws_url);
    client.on("open", () => client.send('{"type":"subscribe","symbol":"*","channel":"book","depth":20}'));
    client.on("message", () => {});
    all.defer(() => client.terminate());
  }
  const screen = all.use(
    await TmuxScreen.start("tmux", ["monitor", "gateway", new URL(gateway.health_url).host], {
      columns: COLUMNS,
      rows: ROWS,
    }),
  );
  await screen.shows(/binance-futures/);
  await sleep(systemClock, WARM_UP_MS);
  const lines = await screen.lines(true);
  while (lines.at(-1)?.trim() === "") lines.pop();
  return terminalSvg(lines, COLUMNS, "mdg monitor gateway");
}
