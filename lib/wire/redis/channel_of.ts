/**
 * Channel, stream and key names from the configured templates; the client is not needed to know them. `{shard}` becomes
 * one of 128 hash tags that lie evenly over the slots of a Cluster: names that differ in a few letters do not, a master
 * may get twice its share. Shard of a symbol: FNV-1a (32 bits) of its UTF-8 bytes modulo 128. Tag of shard n: the smallest
 * integer whose slot divided by 128 is n.
 */
import { CLUSTER_SLOTS, clusterSlot } from "./cluster_slot.ts";
import { escapeGlob } from "./glob.ts";

const SHARDS = 128;
const encoder = new TextEncoder();
let tags: readonly string[] | undefined;

/** `template` with `{venue}`, `{symbol}` and `{shard}` filled in: "orderbook:{symbol}" → "orderbook:BTCUSDT". */
export function channelOf(template: string, venue: string, symbol: string): string {
  return template.replaceAll(/\{(venue|symbol|shard)\}/g, (_, word) => {
    if (word === "shard") return `{${shardTag(symbol)}}`;
    return word === "venue" ? venue : symbol;
  });
}

/** One name carries many symbols, which only the payloads tell: the 128 partitions of "orderbook:{shard}". */
export function isPartitioned(template: string): boolean {
  return template.includes("{shard}") && !template.includes("{symbol}");
}
/** All names of such a template. */
export function partitionsOf(template: string, venue: string): string[] {
  tags ??= evenTags();
  return tags.map((tag) => template.replaceAll("{venue}", venue).replaceAll("{shard}", `{${tag}}`));
}
/** The Redis pattern of all names whose symbol is like `glob`: "orderbook:{symbol}", "BTC*" → "orderbook:BTC*". */
export function patternOf(template: string, venue: string, glob: string): string {
  return template.split(/(\{(?:venue|symbol|shard)\})/).map((part) => {
    if (part === "{symbol}") return glob;
    if (part === "{shard}") return "{*}";
    return escapeGlob(part === "{venue}" ? venue : part);
  }).join("");
}

function shardTag(symbol: string): string {
  tags ??= evenTags();
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(symbol)) hash = Math.imul(hash ^ byte, 0x01000193);
  return tags[(hash >>> 0) % SHARDS];
}

function evenTags(): string[] {
  const found = new Array<string>(SHARDS);
  for (let tag = 0, missing = SHARDS; missing > 0; tag++) {
    const shard = Math.floor(clusterSlot(String(tag)) / (CLUSTER_SLOTS / SHARDS));
    if (found[shard] !== undefined) continue;
    found[shard] = String(tag);
    missing--;
  }
  return found;
}
