/** `mdg simulate --replay`: a market-by-order file on the depth protocol: levels, orders in their queues, trades. */
import assert from "node:assert/strict";
// @ts-types="@types/ws"
import WebSocket from "ws";
import { mbo, writeDbn } from "../lib/sources/dataset/write_dbn.ts";
import { inFolder } from "../in_folder.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { until } from "./until.ts";

const AT_NS = 1_796_000_000_123_456_000n;
const HUGE = 2n ** 63n + 7n;

Deno.test("orders of a file are served with their places in the queue", () =>
  inFolder(async (folder) => {
    const order = (
      n: number,
      action: string,
      side: string,
      order_id: bigint | number,
      price: number,
      size: number,
    ) =>
      mbo({ instrument: 11, at_ns: AT_NS + BigInt(n) * 1_000_000_000n, action, side, order_id, price, size });
    const records = [
      order(0, "A", "B", 1, 100.25, 5),
      order(0, "A", "B", HUGE, 100.25, 3),
      order(0, "A", "A", 3, 100.5, 7),
      order(1, "M", "B", 1, 100.25, 6),
      order(2, "T", "A", 0, 100.25, 2),
      order(2, "C", "B", HUGE, 100.25, 2),
    ];
    const path = `${folder}/orders.dbn`;
    await Deno.writeFile(path, writeDbn({ version: 3, dataset: "GLBX.MDP3", symbols: { ES: 11 }, records }));
    const args = ["simulate", "--replay", path, "--speed", "2", "--interval", "20", "--addr", "127.0.0.1:0"];
    await using server = new DaemonProcess(args);
    const { url, health_url, symbols } = JSON.parse(
      await until("its address", () => server.stdout[0], 20_000),
    );
    assert.deepEqual(symbols, ["ES"]);
    const socket = new WebSocket(url);
    const said: Record<string, Record<string, unknown>[]> = { MBP: [], MBO: [], TRADES: [] };
    let raw_orders = "";
    socket.on("message", (text: unknown) => {
      const message = JSON.parse(String(text));
      if (message.type !== "MarketData") return;
      said[message.data.format].push(message);
      if (message.data.format === "MBO") raw_orders = String(text);
    });
    await new Promise((resolve) => socket.once("open", resolve));
    for (const data_type of Object.keys(said)) {
      socket.send(
        JSON.stringify({ type: "Subscribe", stream_id: data_type, symbol: "ES", data_type, max_levels: 5 }),
      );
    }
    try {
      await server.says("played to its end; the last books stay");
      const isLast = () => JSON.stringify(said.MBP.at(-1)?.data).includes('"quantity":7,"order_count":2');
      await until(
        "the last book",
        () => isLast() || undefined,
        10_000,
        () => JSON.stringify(said.MBP.at(-1)),
      );
      const [{ price, order_count }] =
        (said.MBP.at(-1)!.data as { asks: { price: number; order_count: number }[] }).asks;
      assert.deepEqual([price, order_count], [100.5, 1]);
      // The first order grew and went behind the second one.
      await until(
        "the last orders",
        () => raw_orders.includes('"quantity":1,') || undefined,
        10_000,
        () => raw_orders,
      );
      assert.match(
        raw_orders,
        new RegExp(`"bids":\\[{"order_id":${HUGE},"side":"bid","price":100.25,"quantity":1,.*"order_id":1,`),
      );
      assert.match(raw_orders, /"timestamp":"2026-11-30T00:53:2\d\.\d{6}Z","age":/);
      const [{ data }] = said.TRADES;
      assert.deepEqual(
        (data as { trades: { price: number; side: string }[] }).trades.map((
          { price, side },
        ) => [price, side]),
        [
          [100.25, "sell"],
        ],
      );
      const health = await (await fetch(health_url)).json();
      assert.equal(health.symbols[0].resting_orders, 3);
    } finally {
      socket.terminate();
    }
  }));
