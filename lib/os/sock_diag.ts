/**
 * All sockets with the kernel's own TCP figures (round trip, retransmits, bytes, queues), by NETLINK_SOCK_DIAG: needs no
 * root, sees every user's sockets of this network namespace. Answers come in datagrams; the event loop gets a turn
 * between them, since whoever watches latencies must not cause them.
 */
import { nextTurn } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { AF_INET, AF_INET6, dumpRequest, IPPROTO_TCP, IPPROTO_UDP, readDump } from "./inet_diag_message.ts";
import { errnoText, lastErrno, libc } from "./libc.ts";
import type { ProcFiles } from "./proc_files.ts";
import { readProcNet } from "./proc_net_table.ts";
import type { SocketRow, SocketTable } from "./socket_table.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
/** The kernel answers at once; this only keeps a broken one from holding us. */
const DEADLINE_S = 2;
const DATAGRAM_BYTES = 64 * 1024;
const DATAGRAMS_PER_TURN = 4;
/** What is beyond is left out, and said. */
const MAX_SOCKETS = 200_000;
const PURPOSE = "ask the kernel for its sockets";

/** By netlink, else from /proc/net with words on what that leaves out. */
export async function readSockets(files: ProcFiles): Promise<SocketTable> {
  try {
    return await readSockDiag();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const sockets = [
      ...readProcNet(files.text("/proc/net/tcp") ?? "", "tcp"),
      ...readProcNet(files.text("/proc/net/tcp6") ?? "", "tcp"),
      ...readProcNet(files.text("/proc/net/udp") ?? "", "udp"),
      ...readProcNet(files.text("/proc/net/udp6") ?? "", "udp"),
    ];
    return { by: "/proc/net", missing: `no bytes, round trips or retransmits (${error.message})`, sockets };
  }
}

/** Throws a UserError where netlink is closed to this process. */
export async function readSockDiag(): Promise<SocketTable> {
  const { socket, setsockopt, close } = libc(PURPOSE);
  const fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) throw new UserError(`${PURPOSE}: ${errnoText(lastErrno())}`);
  try {
    const timeout = new BigInt64Array([BigInt(DEADLINE_S), 0n]);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeout.buffer), timeout.byteLength);
    const sockets: SocketRow[] = [];
    let sequence = 0;
    let omitted = 0;
    for (const protocol of [IPPROTO_TCP, IPPROTO_UDP]) {
      for (const family of [AF_INET, AF_INET6]) {
        omitted += await dump(fd, family, protocol, ++sequence, sockets);
      }
    }
    return { by: "sock_diag", missing: omitted > 0 ? `${omitted} more sockets` : undefined, sockets };
  } finally {
    close(fd);
  }
}

/** Returns how many it left out. */
async function dump(
  fd: number,
  family: number,
  protocol: number,
  sequence: number,
  rows: SocketRow[],
): Promise<number> {
  const { send, recv } = libc(PURPOSE);
  const request = dumpRequest(family, protocol, sequence);
  if (Number(send(fd, request, BigInt(request.length), 0)) < 0) {
    throw new UserError(`${PURPOSE}: ${errnoText(lastErrno())}`);
  }
  const datagram = new Uint8Array(DATAGRAM_BYTES);
  let omitted = 0;
  for (let count = 1;; count++) {
    const length = Number(recv(fd, datagram, BigInt(DATAGRAM_BYTES), 0));
    if (length < 0) throw new UserError(`${PURPOSE}: ${errnoText(lastErrno())}`);
    const progress = readDump(datagram.subarray(0, length), sequence, protocol, rows);
    if (rows.length > MAX_SOCKETS) omitted += rows.splice(MAX_SOCKETS).length;
    if (progress.kind === "done") return omitted;
    if (progress.kind === "error") throw new UserError(`${PURPOSE}: ${errnoText(progress.errno)}`);
    if (count % DATAGRAMS_PER_TURN === 0) await nextTurn();
  }
}
