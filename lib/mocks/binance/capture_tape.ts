/**
 * A recorded tape. The file is read once at the start to count its items and learn its symbols, then once more while it
 * plays; nothing of it is kept, so its length costs no memory.
 * Refuses: a capture of the other Binance market, and one without depth frames of the wished symbols.
 */
import { quoted, UserError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { captureLines } from "./capture_lines.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { SymbolGrid, Tape } from "../stage/tape.ts";
import type { BinanceItem, ItemKind } from "./item.ts";

const COMBINED = '{"stream":"';
const DATA = ',"data":';
const SNAPSHOT = '{"lastUpdateId"';

/** Reads `<local ns> <raw frame>`; undefined when it is no such line. */
export function parseCaptureLine(line: string): BinanceItem | undefined {
  const space = line.indexOf(" ");
  const stamp = line.slice(0, space);
  if (space < 4 || !/^\d+$/.test(stamp)) return undefined;
  const at_us = Number(stamp.slice(0, -3)) + Number(stamp.slice(-3)) / 1000;
  const frame = line.slice(space + 1).trimEnd();
  if (frame.startsWith(SNAPSHOT)) return { kind: "snapshot", symbol: "", suffix: "", at_us, data: frame };
  if (!frame.startsWith(COMBINED) || !frame.endsWith("}")) return undefined;
  const quote = frame.indexOf('"', COMBINED.length);
  const stream = frame.slice(COMBINED.length, quote);
  const at = stream.indexOf("@");
  if (at <= 0 || !frame.startsWith(DATA, quote + 1)) return undefined;
  const suffix = stream.slice(at + 1);
  const data = frame.slice(quote + 1 + DATA.length, -1);
  return { kind: kindOf(suffix), symbol: stream.slice(0, at).toUpperCase(), suffix, at_us, data };
}

function kindOf(suffix: string): ItemKind {
  if (suffix === "depth" || suffix.startsWith("depth@")) return "depth";
  if (suffix === "bookTicker") return "quote";
  if (suffix === "trade") return "trade";
  return suffix === "aggTrade" ? "aggregate_trade" : "other";
}

/**
 * @param wanted upper-case symbols; empty: all of the capture
 * @throws UserError when the file is no capture of this venue
 */
export async function openCaptureTape(
  path: string,
  wanted: readonly string[],
  dialect: BinanceDialect,
  log: Log,
): Promise<Tape<BinanceItem>> {
  const keep = new Set(wanted);
  const symbols = new Map<string, SymbolGrid>();
  const found = { total: 0, depth: 0, snapshots: 0, skipped: 0, torn: "" };
  for await (const lines of captureLines(path, (why) => found.torn = why)) {
    for (const line of lines) {
      const item = wantedItem(line, keep);
      if (!item) {
        found.skipped++;
        continue;
      }
      found.total++;
      if (item.kind === "depth" && found.depth++ === 0) requireVenue(path, item, dialect);
      if (item.kind === "snapshot") found.snapshots++;
      if (item.kind === "depth" || item.kind === "snapshot") learnGrid(item, symbols);
    }
  }
  if (found.depth === 0) {
    const whose = wanted.length > 0 ? ` of ${wanted.join(", ")}` : "";
    throw new UserError(`read capture ${quoted(path, 200)}: no depth frames${whose}, want at least one`, {
      hint: "lines are `<local ns> <combined frame>`",
    });
  }
  if (found.torn) log.warn("capture is torn; what is whole is served", { capture: path, why: found.torn });
  if (found.snapshots === 0) {
    log.warn("capture holds no REST snapshot; depth requests will go unanswered", { capture: path });
  }
  log.debug("capture read", { ...found, symbols: [...symbols.keys()] });
  return {
    symbols,
    total: found.total,
    waits_for_subscriber: true,
    progress: (_, position) => position / found.total,
    async *batches() {
      for await (const lines of captureLines(path, () => {})) {
        const items: BinanceItem[] = [];
        for (const line of lines) {
          const item = wantedItem(line, keep);
          if (item) items.push(item);
        }
        if (items.length > 0) yield items;
      }
    },
  };
}

function wantedItem(line: string, keep: ReadonlySet<string>): BinanceItem | undefined {
  const item = line === "" ? undefined : parseCaptureLine(line);
  return item && (keep.size === 0 || item.symbol === "" || keep.has(item.symbol)) ? item : undefined;
}

function requireVenue(path: string, item: BinanceItem, dialect: BinanceDialect): void {
  const is_futures = item.data.includes('"pu":');
  if (is_futures === dialect.chains_by_previous_id) return;
  throw new UserError(
    `read capture ${quoted(path, 200)}: depth frames ${
      is_futures ? "with" : "without"
    } pu, want ${dialect.name}`,
    { hint: `use the ${is_futures ? "futures" : "spot"} mock for this capture` },
  );
}

/** The first depth frame and the snapshot together show thousands of texts: enough to tell the decimals in use. */
function learnGrid(item: BinanceItem, symbols: Map<string, SymbolGrid>): void {
  const known = symbols.get(item.symbol);
  if (item.kind === "depth" && known) return;
  const grid = known ?? { price_decimals: 0, quantity_decimals: 0 };
  const targets = item.kind === "snapshot" ? [...symbols.values()] : [grid];
  for (const [, price, quantity] of item.data.matchAll(/\["([\d.]+)","([\d.]+)"\]/g)) {
    for (const one of targets) {
      one.price_decimals = Math.max(one.price_decimals, decimalsOf(price));
      one.quantity_decimals = Math.max(one.quantity_decimals, decimalsOf(quantity));
    }
  }
  if (item.kind === "depth") symbols.set(item.symbol, grid);
}

function decimalsOf(text: string): number {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.slice(point + 1).replace(/0+$/, "").length;
}
