/** A look as rows of CSV: one an interface, process, host and feed, told apart by the column `part`. */
import type { NetSample } from "./net_sampler.ts";

export const CSV_COLUMNS = [
  "part",
  "name",
  "state",
  "received_bytes_per_s",
  "sent_bytes_per_s",
  "retransmitted",
  "rtt_us",
  "receive_queue_bytes",
  "send_queue_bytes",
  "latency_p50_us",
  "latency_p99_us",
  "latency_max_us",
  "loss_pct",
  "messages_per_s",
  "lag_p99_ms",
  "gaps",
  "reconnects",
  "silent_s",
] as const;

type Row = Partial<Record<typeof CSV_COLUMNS[number], string | number>>;

export function csvRows({ traffic, hosts, gateway }: NetSample): (string | number | undefined)[][] {
  const rows: Row[] = [
    ...(traffic?.devices ?? []).map((one): Row => ({
      part: "interface",
      name: one.name,
      state: one.state,
      received_bytes_per_s: one.received_bytes_per_s,
      sent_bytes_per_s: one.sent_bytes_per_s,
    })),
    ...(traffic?.processes ?? []).map((one): Row => ({
      part: "process",
      name: one.pid === undefined ? one.name : `${one.name}/${one.pid}`,
      received_bytes_per_s: one.received_bytes_per_s,
      sent_bytes_per_s: one.sent_bytes_per_s,
      retransmitted: one.retransmitted,
      rtt_us: one.rtt_us,
      receive_queue_bytes: one.receive_queue,
      send_queue_bytes: one.send_queue,
    })),
    ...hosts.map(({ target, latency, loss_pct, failure }): Row => ({
      part: "host",
      name: target,
      state: failure ?? "answers",
      latency_p50_us: latency.p50_us,
      latency_p99_us: latency.p99_us,
      latency_max_us: latency.max_us,
      loss_pct,
    })),
    ...(gateway?.feeds ?? []).map((one): Row => ({
      part: "feed",
      name: one.venue,
      state: one.state,
      messages_per_s: one.messages_per_s,
      lag_p99_ms: one.lag_p99_s === undefined ? undefined : one.lag_p99_s * 1e3,
      gaps: one.new_gaps,
      reconnects: one.new_reconnects,
      silent_s: one.silent_s,
    })),
  ];
  return rows.map((row) => CSV_COLUMNS.map((column) => row[column]));
}
