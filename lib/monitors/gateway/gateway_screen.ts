/** The look of `mdg monitor gateway`: the state on top, then feeds and what the view asks for. */
import { bytesText, countText, microsecondsText, percentText, secondsText } from "../../tui/quantity.ts";
import { type Block, type Fact, type TableBlock, toned } from "../../tui/screen.ts";
import type { Look, ViewChoice } from "../monitor.ts";
import { feedTable } from "./feed_table.ts";
import type { GatewaySample } from "./gateway_sampler.ts";
import type { BookRow, MemoryState, SinkRow } from "./gateway_state.ts";
import { sessionBlocks } from "./session_tables.ts";

export const GATEWAY_VIEWS: readonly ViewChoice[] = [
  { key: "F1", name: "overview", doc: "feeds, sinks, books" },
  { key: "F2", name: "books", doc: "each book" },
  { key: "F3", name: "sessions", doc: "clients and upstreams one by one, where the gateway lists them" },
];

export function drawGateway(sample: GatewaySample, look: Look): Block[] {
  const blocks: Block[] = [
    { kind: "facts", facts: stateFacts(sample) },
    {
      kind: "trends",
      trends: [
        {
          name: "messages/s",
          value: countText(sample.messages_per_s),
          series: look.history("messages_per_s"),
        },
        {
          name: "latency p99",
          value: microsecondsText(sample.latency_p99_us),
          series: look.history("latency_p99_us"),
        },
      ],
    },
  ];
  if (look.view === "books") return [...blocks, bookTable(sample)];
  if (look.view === "sessions") return [...blocks, ...sessionBlocks(sample)];
  return [...blocks, feedTable(sample.feeds), sinkTable(sample.sinks), bookTable(sample)];
}

function stateFacts(sample: GatewaySample): Fact[] {
  const { process, clients, memory, books_total, books_out_of_sync } = sample;
  const in_sync = `${books_total - books_out_of_sync}/${books_total}`;
  const facts: Fact[] = [
    { name: "", value: sample.ready ? toned("good", "ready") : toned("bad", "not ready") },
    { name: "up", value: secondsText(process.uptime_s) },
    { name: "version", value: sample.version ?? "-" },
    { name: "books in sync", value: books_out_of_sync > 0 ? toned("bad", in_sync) : in_sync },
    { name: "latency p50", value: microsecondsText(sample.latency_p50_us) },
    { name: "memory", value: bytesText(process.resident_bytes) },
    { name: "heap", value: bytesText(process.heap_bytes) },
    {
      name: "loop lag p99",
      value: microsecondsText(
        process.event_loop_lag_p99_s === undefined ? undefined : process.event_loop_lag_p99_s * 1e6,
      ),
    },
  ];
  if (memory) facts.push(...memoryFacts(memory));
  if (!clients) return facts;
  return [
    ...facts,
    { name: "clients", value: countText(clients.clients) },
    { name: "subscriptions", value: countText(clients.subscriptions) },
    {
      name: "sent",
      value: `${countText(clients.sent_frames_per_s)}/s ${bytesText(clients.sent_bytes_per_s)}/s`,
    },
    { name: "queued", value: bytesText(clients.queued_bytes) },
    { name: "skipped", value: countText(clients.skipped) },
    { name: "refused", value: countText(clients.refused) },
    { name: "client lag p99", value: milliseconds(clients.lag_p99_ms) },
  ];
}

const GUARD_LEVELS = ["", "refusing newcomers", "evicting by class", "evicting by size", "upstreams paused"];

function memoryFacts({ used_pct, budget_bytes, level = 0, evicted }: MemoryState): Fact[] {
  const used = `${percentText(used_pct)} of ${bytesText(budget_bytes)}`;
  const state = GUARD_LEVELS[level] ?? `level ${level}`;
  return [
    { name: "memory guard", value: level > 0 ? toned("bad", `${used} ${state}`) : used },
    { name: "evicted", value: countText(evicted) },
  ];
}

function milliseconds(ms: number | undefined): string {
  return microsecondsText(ms === undefined ? undefined : ms * 1e3);
}

function sinkTable(sinks: readonly SinkRow[]): TableBlock {
  return {
    kind: "table",
    title: "Sinks",
    empty: "none",
    columns: [
      { name: "Sink", grows: true, key: "k" },
      { name: "Out/s", align: "right", key: "o" },
      { name: "Queued", align: "right", key: "w" },
      { name: "Bytes", align: "right", optional: true },
      { name: "Dropped", align: "right" },
      { name: "Conflated", align: "right", optional: true },
      { name: "Errors", align: "right" },
    ],
    rows: sinks.map((one) => ({
      id: one.sink,
      cells: [
        one.sink,
        { text: countText(one.published_per_s), order: one.published_per_s },
        { text: countText(one.queued), order: one.queued },
        bytesText(one.queued_bytes),
        { text: countText(one.dropped), tone: (one.new_dropped ?? 0) > 0 ? "bad" : undefined },
        countText(one.conflated),
        { text: countText(one.errors), tone: (one.new_errors ?? 0) > 0 ? "warning" : undefined },
      ],
    })),
  };
}

function bookTable({ books, books_total }: GatewaySample): TableBlock {
  const omitted = books_total - books.length;
  return {
    kind: "table",
    title: omitted > 0 ? `Books (${omitted} in sync left out)` : "Books",
    empty: "none kept",
    columns: [
      { name: "Symbol", key: "s" },
      { name: "Venue", grows: true, key: "v" },
      { name: "State" },
      { name: "Upd/s", align: "right", key: "u" },
      { name: "p99", align: "right", key: "9" },
      { name: "Silent", align: "right", key: "t" },
      { name: "Resyncs", align: "right", key: "r", optional: true },
      { name: "Differed", align: "right", optional: true },
    ],
    rows: books.map(bookRow),
  };
}

function bookRow(one: BookRow) {
  return {
    id: `${one.venue} ${one.symbol}`,
    cells: [
      one.symbol,
      one.venue,
      one.in_sync ? "in sync" : { text: "out of sync", tone: "bad" as const },
      { text: countText(one.updates_per_s), order: one.updates_per_s },
      { text: microsecondsText(one.latency_p99_us), order: one.latency_p99_us },
      { text: secondsText(one.silent_s), order: one.silent_s },
      { text: countText(one.resyncs), order: one.resyncs },
      countText(one.audit_differed),
    ],
  };
}
