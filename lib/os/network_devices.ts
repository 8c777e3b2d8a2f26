/**
 * The network interfaces as the kernel counts them (/proc/net/dev, /sys/class/net), and the machine's own TCP totals
 * (/proc/net/snmp, /proc/net/netstat). Counters run since boot; what a file does not say is absent.
 */
import type { ProcFiles } from "./proc_files.ts";

export interface NetworkDevice {
  name: string;
  received_bytes: number;
  received_packets: number;
  received_errors: number;
  received_dropped: number;
  sent_bytes: number;
  sent_packets: number;
  sent_errors: number;
  sent_dropped: number;
  /** "up", "down", "unknown" (loopback and the like). */
  state?: string;
  mtu_bytes?: number;
  /** Where the driver knows it. */
  speed_mbit_per_s?: number;
}

/** Of the whole network namespace, since boot. */
export interface TcpTotals {
  segments_out?: number;
  retransmits?: number;
  /** Connections refused because a program did not accept fast enough. */
  listen_overflows?: number;
  timeouts?: number;
  established?: number;
}

export function readDevices(files: ProcFiles): NetworkDevice[] {
  const devices = parseDevices(files.text("/proc/net/dev") ?? "");
  for (const device of devices) {
    const said = (what: string) => files.text(`/sys/class/net/${device.name}/${what}`)?.trim() || undefined;
    device.state = said("operstate");
    device.mtu_bytes = positive(said("mtu"));
    // −1 where the link is down or has no speed
    device.speed_mbit_per_s = positive(said("speed"));
  }
  return devices;
}

export function readTcpTotals(files: ProcFiles): TcpTotals {
  return parseTotals(files.text("/proc/net/snmp") ?? "", files.text("/proc/net/netstat") ?? "");
}

/** Two head lines, then `name: 8 received 8 sent`. */
export function parseDevices(text: string): NetworkDevice[] {
  const devices: NetworkDevice[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*(\S+?):\s*((?:\d+\s*){16})$/.exec(line);
    if (!match) continue;
    const values = match[2].trim().split(/\s+/).map(Number);
    devices.push({
      name: match[1],
      received_bytes: values[0],
      received_packets: values[1],
      received_errors: values[2],
      received_dropped: values[3],
      sent_bytes: values[8],
      sent_packets: values[9],
      sent_errors: values[10],
      sent_dropped: values[11],
    });
  }
  return devices;
}

export function parseTotals(snmp: string, netstat: string): TcpTotals {
  const tcp = headedLine(snmp, "Tcp");
  const extended = headedLine(netstat, "TcpExt");
  return {
    segments_out: tcp.get("OutSegs"),
    retransmits: tcp.get("RetransSegs"),
    established: tcp.get("CurrEstab"),
    listen_overflows: extended.get("ListenOverflows"),
    timeouts: extended.get("TCPTimeouts"),
  };
}

/** A line of names and a line of values, both under the same head. */
function headedLine(text: string, head: string): Map<string, number> {
  const [names, values] = text.split("\n")
    .filter((line) => line.startsWith(`${head}: `))
    .map((line) => line.slice(head.length + 2).trim().split(/\s+/));
  return new Map((names ?? []).flatMap((name, i) => {
    const value = Number(values?.[i]);
    return Number.isFinite(value) ? [[name, value] as const] : [];
  }));
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && value > 0 ? value : undefined;
}
