/** Answers of NETLINK_SOCK_DIAG, built here byte by byte after linux/inet_diag.h and linux/tcp.h. */
import assert from "node:assert/strict";
import {
  addressText,
  AF_INET,
  AF_INET6,
  dumpRequest,
  IPPROTO_TCP,
  IPPROTO_UDP,
  readDump,
} from "../../../lib/os/inet_diag_message.ts";
import type { SocketRow } from "../../../lib/os/socket_table.ts";

const SOCK_DIAG_BY_FAMILY = 20;

function message(type: number, sequence: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + ((body.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 16 + body.length, true);
  view.setUint16(4, type, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, 16);
  return bytes;
}

function attribute(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((body.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + body.length, true);
  view.setUint16(2, type, true);
  bytes.set(body, 4);
  return bytes;
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** 127.0.0.1:443 → 10.0.0.9:50000, established, inode 77, uid 1000. */
function diagMessage(state = 1): Uint8Array {
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  bytes.set([AF_INET, state]);
  view.setUint16(4, 443);
  view.setUint16(6, 50_000);
  bytes.set([127, 0, 0, 1], 8);
  bytes.set([10, 0, 0, 9], 24);
  view.setUint32(44, 5, true);
  view.setUint32(48, 1, true);
  view.setUint32(56, 300, true);
  view.setUint32(60, 4_000, true);
  view.setUint32(64, 1_000, true);
  view.setUint32(68, 77, true);
  return bytes;
}

function info(length = 232): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const u32: [number, number][] = [[68, 1_500], [72, 250], [80, 10], [100, 3], [136, 90], [144, 12], [
    148,
    900,
  ]];
  const u64: [number, bigint][] = [[120, 5_000_000_000n], [128, 7_000n], [208, 4_344n]];
  for (const [at, value] of u32) if (at + 4 <= length) view.setUint32(at, value, true);
  for (const [at, value] of u64) if (at + 8 <= length) view.setBigUint64(at, value, true);
  return bytes;
}

Deno.test("a request asks for all states of one protocol and family, with tcp_info and memory", () => {
  const bytes = dumpRequest(AF_INET6, IPPROTO_UDP, 9);
  const view = new DataView(bytes.buffer);
  assert.equal(view.getUint32(0, true), bytes.length);
  assert.deepEqual([view.getUint16(4, true), view.getUint16(6, true), view.getUint32(8, true)], [
    20,
    0x301,
    9,
  ]);
  assert.deepEqual([...bytes.slice(16, 20)], [AF_INET6, IPPROTO_UDP, 2 | 64, 0]);
  assert.equal(view.getUint32(20, true), 0xffff_ffff);
});

Deno.test("an answer becomes a row with the kernel's figures", () => {
  const rows: SocketRow[] = [];
  const first = message(SOCK_DIAG_BY_FAMILY, 4, join(diagMessage(), attribute(2, info())));
  assert.deepEqual(readDump(first, 4, IPPROTO_TCP, rows), { kind: "more" });
  assert.deepEqual(rows, [{
    protocol: "tcp",
    cookie: 5 + 0x1_0000_0000,
    inode: 77,
    uid: 1_000,
    state: "established",
    local: "127.0.0.1",
    local_port: 443,
    remote: "10.0.0.9",
    remote_port: 50_000,
    receive_queue: 300,
    send_queue: 4_000,
    tcp: {
      rtt_us: 1_500,
      rtt_deviation_us: 250,
      min_rtt_us: 900,
      retransmits: 3,
      segments_out: 90,
      bytes_acked: 5_000_000_000,
      bytes_received: 7_000,
      bytes_retransmitted: 4_344,
      unsent_bytes: 12,
      congestion_window: 10,
    },
  }]);
});

Deno.test("an old kernel's shorter tcp_info leaves the later fields absent", () => {
  const rows: SocketRow[] = [];
  readDump(
    message(SOCK_DIAG_BY_FAMILY, 1, join(diagMessage(), attribute(2, info(104)))),
    1,
    IPPROTO_TCP,
    rows,
  );
  const { rtt_us, retransmits, bytes_acked, min_rtt_us } = rows[0].tcp!;
  assert.deepEqual([rtt_us, retransmits, bytes_acked, min_rtt_us], [1_500, 3, undefined, undefined]);
  readDump(
    message(SOCK_DIAG_BY_FAMILY, 1, join(diagMessage(), attribute(2, info(100)))),
    1,
    IPPROTO_TCP,
    rows,
  );
  assert.equal(rows[1].tcp, undefined);
});

Deno.test("a listening socket has no round trip, a UDP socket tells its drops", () => {
  const rows: SocketRow[] = [];
  readDump(
    message(SOCK_DIAG_BY_FAMILY, 1, join(diagMessage(10), attribute(2, info()))),
    1,
    IPPROTO_TCP,
    rows,
  );
  assert.deepEqual([rows[0].state, rows[0].tcp], ["listening", undefined]);
  const memory = new Uint8Array(36);
  new DataView(memory.buffer).setUint32(32, 17, true);
  readDump(message(SOCK_DIAG_BY_FAMILY, 1, join(diagMessage(7), attribute(7, memory))), 1, IPPROTO_UDP, rows);
  assert.deepEqual([rows[1].protocol, rows[1].drops], ["udp", 17]);
});

Deno.test("the end, an error, and what answers an earlier request", () => {
  const rows: SocketRow[] = [];
  const row = message(SOCK_DIAG_BY_FAMILY, 2, diagMessage());
  assert.deepEqual(readDump(join(row, message(3, 2, new Uint8Array(4))), 2, IPPROTO_TCP, rows), {
    kind: "done",
  });
  assert.equal(rows.length, 1);
  assert.deepEqual(readDump(join(row, message(3, 2, new Uint8Array(4))), 3, IPPROTO_TCP, rows), {
    kind: "more",
  });
  assert.equal(rows.length, 1);
  const errno = new Uint8Array(20);
  new DataView(errno.buffer).setInt32(0, -1, true);
  assert.deepEqual(readDump(message(2, 3, errno), 3, IPPROTO_TCP, rows), { kind: "error", errno: 1 });
});

Deno.test("lengths that lead out of the datagram are refused, attributes that do are ignored", () => {
  const bytes = message(SOCK_DIAG_BY_FAMILY, 1, diagMessage());
  new DataView(bytes.buffer).setUint32(0, 4_000, true);
  assert.throws(() => readDump(bytes, 1, IPPROTO_TCP, []), RangeError);
  new DataView(bytes.buffer).setUint32(0, 3, true);
  assert.throws(() => readDump(bytes, 1, IPPROTO_TCP, []), RangeError);
  const rows: SocketRow[] = [];
  const wild = new Uint8Array([0xff, 0xff, 2, 0]);
  readDump(message(SOCK_DIAG_BY_FAMILY, 1, join(diagMessage(), wild)), 1, IPPROTO_TCP, rows);
  assert.deepEqual([rows.length, rows[0].tcp], [1, undefined]);
});

Deno.test("addresses are written as RFC 5952 wants them", () => {
  const ipv6 = (...groups: number[]) => {
    const view = new DataView(new ArrayBuffer(16));
    groups.forEach((group, i) => view.setUint16(2 * i, group));
    return addressText(view, 0, AF_INET6);
  };
  assert.equal(ipv6(0, 0, 0, 0, 0, 0, 0, 0), "::");
  assert.equal(ipv6(0, 0, 0, 0, 0, 0, 0, 1), "::1");
  assert.equal(ipv6(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1");
  assert.equal(ipv6(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1");
  assert.equal(ipv6(0xfe80, 0, 0, 0, 0, 0, 0, 0), "fe80::");
  assert.equal(ipv6(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), "127.0.0.1");
});
