/**
 * The words of NETLINK_SOCK_DIAG (linux/inet_diag.h, linux/tcp.h): a request for all sockets of one protocol and family,
 * and the kernel's answers. Pure bytes; the socket is sock_diag.ts. Integers are the machine's own (little-endian on
 * all that the runtime supports), ports and addresses are the network's.
 */
import { type SocketRow, TCP_STATES, type TcpInfo } from "./socket_table.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;

const HEADER_BYTES = 16;
const REQUEST_BYTES = 56;
const MESSAGE_BYTES = 72;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST_DUMP = 0x1 | 0x300;
/** Attributes of an answer, and the bits that ask for them. */
const INET_DIAG_INFO = 2;
const INET_DIAG_SKMEMINFO = 7;
const ASK_FOR = (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_SKMEMINFO - 1));
const SK_MEMINFO_DROPS = 8 * 4;
const ALL_STATES = 0xffff_ffff;
/** Up to and with total_retrans: what every kernel since 2.6 gives. */
const TCP_INFO_LEAST_BYTES = 104;

/** Asks for every socket of one protocol and family. */
export function dumpRequest(family: number, protocol: number, sequence: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST_DUMP, true);
  view.setUint32(8, sequence, true);
  bytes[HEADER_BYTES] = family;
  bytes[HEADER_BYTES + 1] = protocol;
  bytes[HEADER_BYTES + 2] = ASK_FOR;
  view.setUint32(HEADER_BYTES + 4, ALL_STATES, true);
  return bytes;
}

export type DumpProgress = { kind: "more" } | { kind: "done" } | { kind: "error"; errno: number };

/** Reads one datagram of answers to `sequence` into `rows`. Throws a RangeError on lengths that lead out of it. */
export function readDump(
  bytes: Uint8Array,
  sequence: number,
  protocol: number,
  rows: SocketRow[],
): DumpProgress {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (length < HEADER_BYTES || at + length > bytes.length) {
      throw new RangeError(`read a netlink message: length ${length} at ${at} of ${bytes.length} bytes`);
    }
    // What is left of an earlier dump that was given up is not ours.
    if (view.getUint32(at + 8, true) === sequence) {
      if (type === NLMSG_DONE) return { kind: "done" };
      if (type === NLMSG_ERROR) return { kind: "error", errno: -view.getInt32(at + HEADER_BYTES, true) };
      if (type === SOCK_DIAG_BY_FAMILY && length >= HEADER_BYTES + MESSAGE_BYTES) {
        rows.push(readSocket(view, at + HEADER_BYTES, at + length, protocol));
      }
    }
    at += (length + 3) & ~3;
  }
  return { kind: "more" };
}

function readSocket(view: DataView, at: number, end: number, protocol: number): SocketRow {
  const family = view.getUint8(at);
  const row: SocketRow = {
    protocol: protocol === IPPROTO_UDP ? "udp" : "tcp",
    cookie: view.getUint32(at + 44, true) + view.getUint32(at + 48, true) * 0x1_0000_0000,
    inode: view.getUint32(at + 68, true),
    uid: view.getUint32(at + 64, true),
    state: TCP_STATES[view.getUint8(at + 1)] ?? "unknown",
    local: addressText(view, at + 8, family),
    local_port: view.getUint16(at + 4),
    remote: addressText(view, at + 24, family),
    remote_port: view.getUint16(at + 6),
    receive_queue: view.getUint32(at + 56, true),
    send_queue: view.getUint32(at + 60, true),
  };
  if (row.remote_port === 0) row.remote = "";
  for (let next = at + MESSAGE_BYTES; next + 4 <= end;) {
    const length = view.getUint16(next, true);
    if (length < 4 || next + length > end) break;
    const type = view.getUint16(next + 2, true);
    if (type === INET_DIAG_INFO && protocol === IPPROTO_TCP) {
      row.tcp = tcpInfo(view, next + 4, length - 4, row);
    }
    if (type === INET_DIAG_SKMEMINFO && protocol === IPPROTO_UDP && length - 4 >= SK_MEMINFO_DROPS + 4) {
      row.drops = view.getUint32(next + 4 + SK_MEMINFO_DROPS, true);
    }
    next += (length + 3) & ~3;
  }
  return row;
}

/** Undefined for listening and dying sockets, whose fields mean other things, and for what is too short. */
function tcpInfo(view: DataView, at: number, length: number, { state }: SocketRow): TcpInfo | undefined {
  if (length < TCP_INFO_LEAST_BYTES || state === "listening" || state === "time-wait") return undefined;
  const u32 = (offset: number) => offset + 4 <= length ? view.getUint32(at + offset, true) : undefined;
  const u64 = (offset: number) =>
    offset + 8 <= length ? Number(view.getBigUint64(at + offset, true)) : undefined;
  return {
    rtt_us: u32(68)!,
    rtt_deviation_us: u32(72)!,
    min_rtt_us: u32(148),
    retransmits: u32(100)!,
    segments_out: u32(136),
    bytes_acked: u64(120),
    bytes_received: u64(128),
    bytes_retransmitted: u64(208),
    unsent_bytes: u32(144),
    congestion_window: u32(80)!,
  };
}

/** "127.0.0.1", "2001:db8::1", and an IPv4 address that came over IPv6 as the former. */
export function addressText(view: DataView, at: number, family: number): string {
  if (family !== AF_INET6) return dotted(view, at);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(at + 2 * i));
  if (groups.slice(0, 5).every((one) => one === 0) && groups[5] === 0xffff) return dotted(view, at + 12);
  // RFC 5952: the longest run of zeros, the first of equals, is "::"
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) [start, length] = [i, run];
    i += run;
  }
  const text = (from: number, to: number) => groups.slice(from, to).map((one) => one.toString(16)).join(":");
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

function dotted(view: DataView, at: number): string {
  return [0, 1, 2, 3].map((i) => view.getUint8(at + i)).join(".");
}
