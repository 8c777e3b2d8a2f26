/** The look of `mdg monitor net`: totals on top, hosts and feeds where there are any, and one view of the machine's own. */
import { bytesText, countText, microsecondsText, percentText } from "../../tui/quantity.ts";
import { type Block, type Cell, type Fact, type TableBlock, toned } from "../../tui/screen.ts";
import { feedTable } from "../gateway/feed_table.ts";
import type { Look, Readings, ViewChoice } from "../monitor.ts";
import type { HostSample, NetSample } from "./net_sampler.ts";
import type { SocketTraffic, Traffic } from "./traffic.ts";

export const NET_VIEWS: readonly ViewChoice[] = [
  { key: "F1", name: "processes", doc: "what each process moves" },
  { key: "F2", name: "connections", doc: "each connection with the kernel's figures" },
  { key: "F3", name: "interfaces", doc: "interfaces with errors and drops" },
  { key: "F4", name: "listening", doc: "who waits for connections, and how many wait for them" },
];

export function drawNet(sample: NetSample, readings: Readings, look: Look): Block[] {
  const { traffic, hosts, gateway, unseen } = sample;
  const blocks: Block[] = [];
  if (traffic) {
    blocks.push({ kind: "facts", facts: facts(readings, traffic) });
    blocks.push({
      kind: "trends",
      trends: [
        trend("in", readings.received_bytes_per_s, look.history("received_bytes_per_s")),
        trend("out", readings.sent_bytes_per_s, look.history("sent_bytes_per_s")),
      ],
    });
  }
  if (hosts.length > 0) blocks.push(hostTable(hosts));
  if (gateway) blocks.push(feedTable(gateway.feeds));
  if (traffic) blocks.push(viewOf(traffic, look.view));
  const said = [...unseen.map(({ text }) => text), ...(traffic?.missing ?? [])];
  if (said.length > 0) {
    blocks.push({ kind: "lines", lines: said.map((text) => toned("dim", ` not seen: ${text}`)) });
  }
  return blocks;
}

function trend(
  name: string,
  value: number | undefined,
  series: Look["history"] extends (n: string) => infer S ? S : never,
) {
  return { name, value: `${bytesText(value)}/s`, series };
}

function facts(readings: Readings, traffic: Traffic): Fact[] {
  const { listen_overflows, retransmit_pct, receive_queue_bytes, send_queue_bytes } = readings;
  return [
    { name: "connections", value: countText(traffic.established) },
    { name: "ended lately", value: countText(traffic.time_wait) },
    { name: "rtt p50", value: microsecondsText(traffic.rtt_p50_us) },
    { name: "p99", value: microsecondsText(traffic.rtt_p99_us) },
    { name: "retransmitted", value: percentText(retransmit_pct) },
    { name: "longest queue in", value: bytesText(receive_queue_bytes) },
    { name: "queue out", value: bytesText(send_queue_bytes) },
    {
      name: "not accepted",
      value: (listen_overflows ?? 0) > 0
        ? toned("warning", countText(listen_overflows))
        : countText(listen_overflows),
    },
    { name: "asked by", value: traffic.by },
  ];
}

function hostTable(hosts: readonly HostSample[]): TableBlock {
  return {
    kind: "table",
    title: "Hosts, last minute",
    columns: [
      { name: "Host", key: "n" },
      { name: "p50", align: "right" },
      { name: "p99", align: "right", key: "9" },
      { name: "Max", align: "right" },
      { name: "Lost", align: "right", key: "l" },
      { name: "Trend or failure", optional: true },
      { name: "p90", align: "right", optional: true },
      { name: "Waiting", align: "right", optional: true },
      { name: "Not measured", align: "right", optional: true },
    ],
    rows: hosts.map(({ target, latency, loss_pct, waiting, not_measured, recent_us, failure }) => ({
      id: target,
      cells: [
        target,
        microsecondsText(latency.p50_us),
        { text: microsecondsText(latency.p99_us), order: latency.p99_us },
        microsecondsText(latency.max_us),
        { text: percentText(loss_pct), order: loss_pct, tone: lossTone(loss_pct) },
        failure === undefined ? { text: "", trend: recent_us } : { text: failure, tone: "bad" },
        microsecondsText(latency.p90_us),
        countText(waiting),
        countText(not_measured),
      ],
    })),
  };
}

function lossTone(loss_pct: number | undefined): Cell["tone"] {
  if (loss_pct === undefined) return "dim";
  return loss_pct > 50 ? "bad" : loss_pct > 0 ? "warning" : undefined;
}

function viewOf(traffic: Traffic, view: string): TableBlock {
  if (view === "connections") return connectionTable(traffic);
  if (view === "interfaces") return interfaceTable(traffic);
  if (view === "listening") return listeningTable(traffic.listening);
  return processTable(traffic);
}

function rate(bytes_s: number | undefined): Cell {
  return { text: bytesText(bytes_s), order: bytes_s };
}

function processTable({ processes }: Traffic): TableBlock {
  return {
    kind: "table",
    title: "Processes",
    columns: [
      { name: "Process", grows: true, key: "p" },
      { name: "PID", align: "right" },
      { name: "In/s", align: "right", key: "i" },
      { name: "Out/s", align: "right", key: "o" },
      { name: "RTT", align: "right", key: "r" },
      { name: "Again", align: "right", key: "a" },
      { name: "Queue in", align: "right", optional: true },
      { name: "out", align: "right", optional: true },
      { name: "Sockets", align: "right", key: "s", optional: true },
    ],
    rows: processes.map((one) => ({
      id: `${one.pid ?? one.name}`,
      cells: [
        one.name,
        one.pid === undefined ? "-" : String(one.pid),
        rate(one.received_bytes_per_s),
        rate(one.sent_bytes_per_s),
        { text: microsecondsText(one.rtt_us), order: one.rtt_us },
        { text: countText(one.retransmitted), order: one.retransmitted },
        rate(one.receive_queue),
        rate(one.send_queue),
        { text: countText(one.sockets), order: one.sockets },
      ],
    })),
  };
}

function connectionTable({ sockets, sockets_omitted: omitted }: Traffic): TableBlock {
  return {
    kind: "table",
    title: omitted > 0 ? `Connections (${omitted} idle ones left out)` : "Connections",
    columns: [
      { name: "Peer", key: "p" },
      { name: "Process", grows: true, key: "c" },
      { name: "In/s", align: "right", key: "i" },
      { name: "Out/s", align: "right", key: "o" },
      { name: "RTT", align: "right", key: "r" },
      { name: "Again", align: "right", key: "a" },
      { name: "Queue in", align: "right", optional: true },
      { name: "out", align: "right", optional: true },
      { name: "State", optional: true },
      { name: "Local", optional: true },
    ],
    rows: sockets.map((one) => ({
      id: String(one.cookie ?? one.inode),
      cells: [
        one.remote === "" ? `(${one.protocol})` : endpoint(one.remote, one.remote_port),
        one.process ?? "-",
        rate(one.received_bytes_per_s),
        rate(one.sent_bytes_per_s),
        { text: microsecondsText(one.tcp?.rtt_us), order: one.tcp?.rtt_us },
        { text: countText(one.tcp?.retransmits), order: one.tcp?.retransmits },
        rate(one.receive_queue),
        rate(one.send_queue),
        one.protocol === "udp" ? "udp" : one.state,
        endpoint(one.local, one.local_port),
      ],
    })),
  };
}

function interfaceTable({ devices }: Traffic): TableBlock {
  return {
    kind: "table",
    title: "Interfaces",
    columns: [
      { name: "Interface", grows: true, key: "n" },
      { name: "State" },
      { name: "In/s", align: "right", key: "i" },
      { name: "Out/s", align: "right", key: "o" },
      { name: "Packets in/s", align: "right", optional: true },
      { name: "out/s", align: "right", optional: true },
      { name: "Errors", align: "right" },
      { name: "Drops", align: "right" },
      { name: "Mbit/s", align: "right", optional: true },
    ],
    rows: devices.map((one) => ({
      id: one.name,
      cells: [
        one.name,
        one.state ?? "-",
        rate(one.received_bytes_per_s),
        rate(one.sent_bytes_per_s),
        countText(one.received_packets_per_s),
        countText(one.sent_packets_per_s),
        faultCell(one.received_errors + one.sent_errors, one.faults),
        faultCell(one.received_dropped + one.sent_dropped, one.faults),
        countText(one.speed_mbit_per_s),
      ],
    })),
  };
}

function faultCell(count: number, fresh: number | undefined): Cell {
  return {
    text: countText(count),
    order: count,
    tone: (fresh ?? 0) > 0 && count > 0 ? "warning" : undefined,
  };
}

function listeningTable(listening: readonly SocketTraffic[]): TableBlock {
  return {
    kind: "table",
    title: "Listening",
    empty: "nobody listens",
    columns: [
      { name: "Address", grows: true, key: "p" },
      { name: "Process", key: "c" },
      { name: "PID", align: "right" },
      { name: "Waiting", align: "right", key: "w" },
      { name: "At most", align: "right" },
    ],
    rows: listening.map((one) => ({
      id: String(one.cookie ?? one.inode),
      cells: [
        endpoint(one.local, one.local_port),
        one.process ?? "-",
        one.pid === undefined ? "-" : String(one.pid),
        {
          text: countText(one.receive_queue),
          order: one.receive_queue,
          tone: one.receive_queue > 0 && one.receive_queue >= one.send_queue ? "bad" : undefined,
        },
        countText(one.send_queue),
      ],
    })),
  };
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
