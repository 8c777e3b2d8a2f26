/**
 * The sockets of this network namespace as one row each, whatever way the kernel told of them. What a way can't tell is
 * absent. Numbers count from the socket's birth; rates are the reader's business.
 */

/** TCP states by the kernel's numbers. */
export const TCP_STATES = [
  "unknown",
  "established",
  "syn-sent",
  "syn-received",
  "fin-wait-1",
  "fin-wait-2",
  "time-wait",
  "closed",
  "close-wait",
  "last-ack",
  "listening",
  "closing",
  "new-syn-received",
] as const;
export type TcpState = typeof TCP_STATES[number];

export interface SocketRow {
  protocol: "tcp" | "udp";
  /** Not used again while the machine is up; absent in the fallback, where the inode stands for it. */
  cookie?: number;
  inode: number;
  uid: number;
  state: TcpState;
  local: string;
  local_port: number;
  /** "" while there is no peer. */
  remote: string;
  remote_port: number;
  /** Bytes that wait for the program; of a listening socket: connections that wait to be accepted. */
  receive_queue: number;
  /** Bytes sent and not acknowledged yet; of a listening socket: how many connections may wait. */
  send_queue: number;
  /** UDP: datagrams dropped because the queue was full. */
  drops?: number;
  tcp?: TcpInfo;
}

/** From struct tcp_info; an older kernel gives fewer. */
export interface TcpInfo {
  /** Smoothed, and its mean deviation. */
  rtt_us: number;
  rtt_deviation_us: number;
  min_rtt_us?: number;
  /** Segments sent again. */
  retransmits: number;
  segments_out?: number;
  bytes_acked?: number;
  bytes_received?: number;
  bytes_retransmitted?: number;
  /** In the send queue and never sent. */
  unsent_bytes?: number;
  congestion_window: number;
}

export interface SocketTable {
  /** How the kernel was asked. */
  by: "sock_diag" | "/proc/net";
  /** What this way leaves out, in words; undefined: nothing. */
  missing: string | undefined;
  sockets: SocketRow[];
}
