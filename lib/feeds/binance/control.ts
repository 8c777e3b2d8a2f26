/**
 * What the two Binance markets share beside frames: control messages and REST snapshots.
 * Source: Binance API documents, "Live Subscribing/Unsubscribing to streams" and "Order Book".
 */
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import type { StreamName } from "../feed.ts";
import { readLevels } from "../level_scanner.ts";

export function subscribeFrame(streams: readonly StreamName[], id: number): string {
  return JSON.stringify({ method: "SUBSCRIBE", params: streams.map((one) => one.stream), id });
}
export function unsubscribeFrame(streams: readonly StreamName[], id: number): string {
  return JSON.stringify({ method: "UNSUBSCRIBE", params: streams.map((one) => one.stream), id });
}

/** `{"lastUpdateId":…,"E":…,"T":…,"bids":[["p","q"]],"asks":[…]}` (spot has no times). An error text when it is none. */
export function parseSnapshot(
  venue: string,
  body: Uint8Array,
  symbol: string,
  received_us: number,
  batch: EventBatch,
  depth_limit?: number,
): string | undefined {
  let message;
  try {
    message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return "depth snapshot: not JSON";
  }
  if (message === null || typeof message !== "object") return "depth snapshot: not an object";
  if (message.code !== undefined) {
    return `depth snapshot refused: ${message.code} ${String(message.msg).slice(0, 200)}`;
  }
  const bids = new LevelList(1024);
  const asks = new LevelList(1024);
  if (!Number.isSafeInteger(message.lastUpdateId)) return "depth snapshot: no lastUpdateId";
  if (!readLevels(message.bids, bids) || !readLevels(message.asks, asks)) return "depth snapshot: bad levels";
  batch.push({
    kind: "book_snapshot",
    venue,
    symbol,
    received_us,
    sent_ms: typeof message.E === "number" ? message.E : undefined,
    exchange_ms: typeof message.T === "number" ? message.T : undefined,
    last_id: message.lastUpdateId,
    depth_limit: depth_limit ?? Math.max(bids.size, asks.size),
    bids,
    asks,
  });
  return undefined;
}
