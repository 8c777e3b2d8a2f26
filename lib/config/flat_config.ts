/**
 * The config of the service before mdg: flat keys at the top level, accepted exactly as they are and translated into
 * sections. A file is flat when it has any flat key; flat keys beside sections are refused, naming both, since nobody
 * could tell which wins. The translation keeps the places, so later problems still point into the old file.
 */
import { z } from "zod";
import type { LocatedEntry, LocatedMapping, LocatedValue } from "../formats/located.ts";
import { entryOf } from "../formats/located.ts";
import type { ConfigSchema } from "./compose_schema.ts";
import { generalKeys } from "./general_config.ts";
import type { ProblemList } from "./problem.ts";

const delay_ms = z.number().int().min(1).max(86_400_000);

function urlOf(protocols: readonly string[], example: string) {
  return z.string().refine(
    (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
    { error: `want a URL like ${example}` },
  );
}

const flatKeys = {
  symbols: z.array(z.string().trim().min(1).max(64)).min(1).max(10_000)
    .meta({ description: "Symbols to subscribe to, as the venue writes them" }),
  exchange_ws_url: urlOf(["ws:", "wss:"], "wss://host[:port]").optional()
    .meta({
      description: "WebSocket base of Binance USDⓈ-M futures; a trailing route, /ws or /stream is ignored",
    }),
  exchange_rest_url: urlOf(["http:", "https:"], "https://host[:port]").optional()
    .meta({ description: "REST base for snapshots, where it is not the venue's own" }),
  redis_url: urlOf(["redis:", "rediss:"], "redis://host:6379").optional()
    .meta({ description: "Where books and trades are published" }),
  order_book_depth: z.number().int().min(1).max(5_000).default(20)
    .meta({ description: "Levels a side in published books" }),
  health_port: z.number().int().min(0).max(65_535).default(9_090)
    .meta({ description: "Port of /health, /ready and /metrics, on all interfaces" }),
  shm_name: z.string().min(1).max(255).optional()
    .meta({ description: "Name of the shared-memory ring buffer; none without it" }),
  reconnect_delay_ms: delay_ms.default(1_000)
    .meta({ description: "First delay before a reconnect, milliseconds" }),
  max_reconnect_delay_ms: delay_ms.default(60_000)
    .meta({ description: "Longest delay before a reconnect, milliseconds" }),
};

export const flatConfigSchema = z.strictObject({ ...flatKeys, ...generalKeys })
  .refine((flat) => flat.max_reconnect_delay_ms >= flat.reconnect_delay_ms, {
    path: ["max_reconnect_delay_ms"],
    error: "want at least reconnect_delay_ms",
  });
export type FlatConfig = z.output<typeof flatConfigSchema>;

export const flatKeyNames: readonly string[] = Object.keys(flatKeys);
const sectionNames: readonly string[] = ["sources", "sinks", "servers"];

/** Which form a file is in. Adds a problem, and answers "mixed", when it has keys of both. */
export function formOf(root: LocatedValue, problems: ProblemList): "flat" | "sectioned" | "mixed" {
  if (root.kind !== "mapping") return "sectioned";
  const flat = root.entries.filter((entry) => flatKeyNames.includes(entry.key));
  const sections = root.entries.filter((entry) => sectionNames.includes(entry.key));
  if (flat.length === 0) return "sectioned";
  if (sections.length === 0) return "flat";
  const named = (entries: readonly LocatedEntry[]) =>
    [...new Set(entries.map((entry) => `"${entry.key}"`))].join(", ");
  problems.add(
    flat[0].key_offset,
    [],
    `flat keys (${named(flat)}) and sections (${named(sections)}) in one file: want one form`,
  );
  return "mixed";
}

/** The same config in sections; every value stands where its flat key stood. */
export function translateFlat(
  flat: FlatConfig,
  root: LocatedMapping,
  kinds: ConfigSchema["kinds"],
  warnings: ProblemList,
): LocatedMapping {
  const keyOffset = (key: keyof FlatConfig) => entryOf(root, key)?.key_offset ?? root.offset;
  const item = (
    kind: string,
    keys: Record<string, keyof FlatConfig | { from: keyof FlatConfig; value: unknown }>,
  ) => {
    const entries = [entry("kind", kind, root.offset)];
    for (const [name, given] of Object.entries(keys)) {
      const from = typeof given === "string" ? given : given.from;
      const value = typeof given === "string" ? flat[given] : given.value;
      const offset = entryOf(root, from)?.value.offset ?? root.offset;
      if (value !== undefined) entries.push(entry(name, value, offset));
    }
    return mapping(entries, root);
  };

  const source = item("live", {
    venue: { from: "symbols", value: "binance-futures" },
    symbols: { from: "symbols", value: symbolsOf(flat, keyOffset("symbols"), warnings) },
    ws_url: { from: "exchange_ws_url", value: baseOf(flat.exchange_ws_url) },
    rest_url: { from: "exchange_rest_url", value: flat.exchange_rest_url?.replace(/\/+$/, "") },
    reconnect_delay_ms: "reconnect_delay_ms",
    max_reconnect_delay_ms: "max_reconnect_delay_ms",
    order_book_depth: "order_book_depth",
  });
  const sinks: LocatedMapping[] = [];
  if (flat.redis_url !== undefined) {
    sinks.push(item("redis", { url: "redis_url", order_book_depth: "order_book_depth" }));
  } else {
    warnings.add(root.offset, ["redis_url"], "missing: nothing will be published to Redis");
  }
  if (flat.shm_name !== undefined) {
    if (kinds.sinks.includes("shared_memory")) sinks.push(item("shared_memory", { name: "shm_name" }));
    else warnings.add(keyOffset("shm_name"), ["shm_name"], "ignored: this build has no shared-memory sink");
  }
  // All interfaces, as the old service did: probes and Prometheus reach it from outside.
  const health = item("health", { listen: { from: "health_port", value: `0.0.0.0:${flat.health_port}` } });

  const general = root.entries.filter(({ key }) => Object.hasOwn(generalKeys, key));
  const sections = { sources: [source], sinks, servers: [health] };
  const sectioned = Object.entries(sections).map(([key, items]): LocatedEntry => ({
    key,
    key_offset: root.offset,
    value: { kind: "sequence", offset: root.offset, end: root.end, items },
  }));
  return mapping([...general, ...sectioned], root);
}

/** Upper case, as the published channels spell them; a symbol given twice is taken once, with a warning. */
function symbolsOf(flat: FlatConfig, offset: number, warnings: ProblemList): string[] {
  const unique = new Set<string>();
  for (const symbol of flat.symbols) {
    const name = symbol.toUpperCase();
    if (unique.has(name)) warnings.add(offset, ["symbols"], `"${name}" is given twice: it is taken once`);
    unique.add(name);
  }
  return [...unique];
}

/** `wss://host/public/ws/btcusdt@depth` → `wss://host`: what stands behind the base is chosen per stream. */
export function baseOf(ws_url: string | undefined): string | undefined {
  if (ws_url === undefined) return undefined;
  const url = new URL(ws_url);
  const path = url.pathname
    .replace(/\/(ws|stream)(\/.*)?$/, "")
    .replace(/\/(public|market|private)\/?$/, "")
    .replace(/\/+$/, "");
  const userinfo = url.username ? `${url.username}${url.password ? `:${url.password}` : ""}@` : "";
  return `${url.protocol}//${userinfo}${url.host}${path}`;
}

function entry(key: string, value: unknown, offset: number): LocatedEntry {
  return { key, key_offset: offset, value: locatedAt(value, offset) };
}

function locatedAt(value: unknown, offset: number): LocatedValue {
  if (Array.isArray(value)) {
    return { kind: "sequence", offset, end: offset, items: value.map((item) => locatedAt(item, offset)) };
  }
  const scalar = value as string | number | boolean;
  return { kind: "scalar", offset, end: offset, value: scalar, text: String(scalar) };
}

function mapping(entries: readonly LocatedEntry[], root: LocatedMapping): LocatedMapping {
  return { kind: "mapping", offset: root.offset, end: root.end, entries };
}
