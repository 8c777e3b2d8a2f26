/**
 * Two looks at the kernel's counters → rates per interface, process and socket. A socket that was not there before began
 * in between, so all it carried counts; one that is gone by the second look takes its last bytes with it, untold (the
 * kernel keeps no counts of closed sockets). The first look has no rates.
 */
import type { Clock } from "../../base/clock.ts";
import { type NetworkDevice, readDevices, readTcpTotals, type TcpTotals } from "../../os/network_devices.ts";
import type { ProcFiles } from "../../os/proc_files.ts";
import { SocketOwners } from "../../os/socket_owners.ts";
import type { SocketRow, SocketTable } from "../../os/socket_table.ts";
import { greatest, increase, total } from "../known_numbers.ts";
import { readSockets } from "../../os/sock_diag.ts";

/** Rows that a look keeps; the busiest ones. */
const MAX_ROWS = 500;

export interface DeviceTraffic extends NetworkDevice {
  received_bytes_per_s?: number;
  sent_bytes_per_s?: number;
  received_packets_per_s?: number;
  sent_packets_per_s?: number;
  /** Errors and drops since the last look. */
  faults?: number;
}
export interface SocketTraffic extends SocketRow {
  pid?: number;
  process?: string;
  received_bytes_per_s?: number;
  sent_bytes_per_s?: number;
  /** Since the last look. */
  retransmitted?: number;
}
export interface ProcessTraffic {
  /** Absent: sockets whose process this user may not see, gathered by the user they belong to. */
  pid?: number;
  name: string;
  sockets: number;
  received_bytes_per_s?: number;
  sent_bytes_per_s?: number;
  retransmitted?: number;
  /** The longest smoothed round trip of its connections. */
  rtt_us?: number;
  /** The fullest ones. */
  receive_queue: number;
  send_queue: number;
  /** Datagrams dropped since the sockets were opened. */
  drops?: number;
}
export interface Traffic {
  by: SocketTable["by"];
  /** What could not be seen, in words. */
  missing: string[];
  devices: DeviceTraffic[];
  processes: ProcessTraffic[];
  /** Connections and UDP sockets, the busiest first. */
  sockets: SocketTraffic[];
  /** Idle ones beyond those told of. */
  sockets_omitted: number;
  listening: SocketTraffic[];
  /** TCP connections in this state. */
  established: number;
  /** TCP connections that ended within the last minute and are nobody's any more (TIME-WAIT). */
  time_wait: number;
  totals: TcpTotals;
  /** Between the last two looks; undefined at the first. */
  elapsed_s?: number;
  retransmit_pct?: number;
  /** Connections refused since the last look because a program did not accept. */
  listen_overflows?: number;
  /** The fullest ones of connections and UDP sockets. */
  receive_queue: number;
  send_queue: number;
  /** Smoothed round trips of established connections. */
  rtt_p50_us?: number;
  rtt_p99_us?: number;
}

interface Before {
  at_ms: number;
  devices: Map<string, NetworkDevice>;
  sockets: Map<number, SocketRow>;
  totals: TcpTotals;
}

export class TrafficMeter {
  readonly #owners: SocketOwners;
  #before: Before | undefined;

  /** `only`: processes whose name contains one of these; absent: all. */
  constructor(readonly files: ProcFiles, readonly clock: Clock, readonly only?: readonly string[]) {
    this.#owners = new SocketOwners(files);
  }
  async look(): Promise<Traffic> {
    const devices = readDevices(this.files);
    const totals = readTcpTotals(this.files);
    const table = await readSockets(this.files);
    const at_ms = this.clock.monotonic_ms();
    const owners = await this.#owners.find(table.sockets);
    const before = this.#before;
    this.#before = {
      at_ms,
      totals,
      devices: new Map(devices.map((one) => [one.name, one])),
      sockets: new Map(table.sockets.map((one) => [idOf(one), one])),
    };
    const elapsed_s = before && (at_ms - before.at_ms) / 1000;
    const sockets = table.sockets.map((row): SocketTraffic => {
      const owner = owners.get(row.inode);
      return { ...row, pid: owner?.pid, process: owner?.name, ...socketRates(row, before, elapsed_s) };
    }).filter(({ process }) => !this.only || this.only.some((part) => process?.includes(part)));
    const carrying = sockets.filter(({ state }) => state !== "listening" && state !== "time-wait")
      .sort((a, b) => busyness(b) - busyness(a));
    const established = sockets.filter(({ protocol, state }) =>
      protocol === "tcp" && state === "established"
    );
    const rtts = established.flatMap(({ tcp }) => tcp ? [tcp.rtt_us] : []).sort((a, b) => a - b);
    return {
      by: table.by,
      missing: this.#missing(table, sockets),
      devices: devices.map((one) => ({ ...one, ...deviceRates(one, before, elapsed_s) })),
      processes: byProcess(sockets).slice(0, MAX_ROWS),
      sockets: carrying.slice(0, MAX_ROWS),
      sockets_omitted: Math.max(0, carrying.length - MAX_ROWS),
      receive_queue: greatest(carrying.map((one) => one.receive_queue)) ?? 0,
      send_queue: greatest(carrying.map((one) => one.send_queue)) ?? 0,
      listening: sockets.filter(({ state }) => state === "listening").slice(0, MAX_ROWS),
      established: established.length,
      time_wait: sockets.filter(({ state }) => state === "time-wait").length,
      totals,
      elapsed_s,
      retransmit_pct: share(
        increase(totals.retransmits, before?.totals.retransmits),
        increase(totals.segments_out, before?.totals.segments_out),
      ),
      listen_overflows: increase(totals.listen_overflows, before?.totals.listen_overflows),
      rtt_p50_us: rankOf(rtts, 0.5),
      rtt_p99_us: rankOf(rtts, 0.99),
    };
  }
  #missing({ missing }: SocketTable, sockets: readonly SocketTraffic[]): string[] {
    const said = missing === undefined ? [] : [missing];
    const unseen = sockets.filter((one) => one.inode !== 0 && one.pid === undefined).length;
    if (unseen > 0 && this.#owners.closed_processes > 0) {
      said.push(
        `the process of ${unseen} sockets (${this.#owners.closed_processes} processes are other users' or just ended)`,
      );
    }
    return said;
  }
}

function idOf({ cookie, inode }: SocketRow): number {
  return cookie ?? inode;
}

function socketRates(
  row: SocketRow,
  before: Before | undefined,
  elapsed_s: number | undefined,
): Partial<SocketTraffic> {
  const { tcp } = row;
  if (!before || !elapsed_s || !tcp) return {};
  const then = before.sockets.get(idOf(row))?.tcp;
  const rate = (now: number | undefined, past: number | undefined) =>
    now === undefined ? undefined : Math.max(0, now - (past ?? 0)) / elapsed_s;
  return {
    received_bytes_per_s: rate(tcp.bytes_received, then?.bytes_received),
    sent_bytes_per_s: rate(tcp.bytes_acked, then?.bytes_acked),
    retransmitted: Math.max(0, tcp.retransmits - (then?.retransmits ?? 0)),
  };
}

function deviceRates(
  device: NetworkDevice,
  before: Before | undefined,
  elapsed_s: number | undefined,
): Partial<DeviceTraffic> {
  const then = before?.devices.get(device.name);
  if (!then || !elapsed_s) return {};
  const rate = (key: "received_bytes" | "sent_bytes" | "received_packets" | "sent_packets") =>
    Math.max(0, device[key] - then[key]) / elapsed_s;
  const faults = (of: NetworkDevice) =>
    of.received_errors + of.received_dropped + of.sent_errors + of.sent_dropped;
  return {
    received_bytes_per_s: rate("received_bytes"),
    sent_bytes_per_s: rate("sent_bytes"),
    received_packets_per_s: rate("received_packets"),
    sent_packets_per_s: rate("sent_packets"),
    faults: Math.max(0, faults(device) - faults(then)),
  };
}

/** Busiest first. What waits for nobody (TIME-WAIT) belongs to no process. */
function byProcess(sockets: readonly SocketTraffic[]): ProcessTraffic[] {
  const rows = new Map<string, ProcessTraffic>();
  for (const socket of sockets) {
    if (socket.inode === 0) continue;
    const name = socket.process ?? `(user ${socket.uid})`;
    const key = `${socket.pid ?? ""} ${name}`;
    let row = rows.get(key);
    if (!row) rows.set(key, row = { pid: socket.pid, name, sockets: 0, receive_queue: 0, send_queue: 0 });
    row.sockets++;
    row.received_bytes_per_s = total([row.received_bytes_per_s, socket.received_bytes_per_s]);
    row.sent_bytes_per_s = total([row.sent_bytes_per_s, socket.sent_bytes_per_s]);
    row.retransmitted = total([row.retransmitted, socket.retransmitted]);
    row.drops = total([row.drops, socket.drops]);
    // a listening socket counts connections there, not bytes
    if (socket.state === "listening") continue;
    if (socket.tcp) row.rtt_us = Math.max(row.rtt_us ?? 0, socket.tcp.rtt_us);
    row.receive_queue = Math.max(row.receive_queue, socket.receive_queue);
    row.send_queue = Math.max(row.send_queue, socket.send_queue);
  }
  return [...rows.values()].sort((a, b) => busyness(b) - busyness(a) || b.sockets - a.sockets);
}

function busyness(
  { received_bytes_per_s = 0, sent_bytes_per_s = 0 }: ProcessTraffic | SocketTraffic,
): number {
  return received_bytes_per_s + sent_bytes_per_s;
}

function share(part: number | undefined, whole: number | undefined): number | undefined {
  if (part === undefined || whole === undefined) return undefined;
  return whole === 0 ? 0 : 100 * part / whole;
}

function rankOf(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}
