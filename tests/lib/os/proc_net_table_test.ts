/** Files of /proc/net as Linux 6 prints them. */
import assert from "node:assert/strict";
import { readProcNet } from "../../../lib/os/proc_net_table.ts";
import { parseDevices, parseTotals } from "../../../lib/os/network_devices.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4601 1 00000000e12aefec 100 0 0 10 0
   1: 0100007F:E556 0900000A:01BB 01 00000FA0:0000012C 00:00000000 00000000  1000        0 77 1 00000000e12aefec 100 0 0 10 0
garbage
`;
const TCP6 =
  `  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12 1
   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 13 1
`;
const UDP =
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  1: 0100007F:0035 00000000:0000 07 00000000:00000200 00:00000000 00000000   101        0 99 2 0000000000000000 42
`;
const DEVICES = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   40755     561    0    0    0     0          0         0    40755     561    0    0    0     0       0          0
eth0:93269637    2334    1    2    0     0          0         0   102044    1250    3    4    0     0       0          0
`;

Deno.test("TCP rows: addresses, queues, owner; no figures that are not there", () => {
  const rows = readProcNet(TCP, "tcp");
  assert.deepEqual(rows, [
    {
      protocol: "tcp",
      inode: 4601,
      uid: 0,
      state: "listening",
      local: "127.0.0.1",
      local_port: 6379,
      remote: "",
      remote_port: 0,
      receive_queue: 3,
      send_queue: 0,
    },
    {
      protocol: "tcp",
      inode: 77,
      uid: 1000,
      state: "established",
      local: "127.0.0.1",
      local_port: 58710,
      remote: "10.0.0.9",
      remote_port: 443,
      receive_queue: 300,
      send_queue: 4000,
    },
  ]);
});

Deno.test("IPv6 and UDP", () => {
  const [listening, mapped] = readProcNet(TCP6, "tcp");
  assert.deepEqual([listening.local, listening.local_port, listening.remote], ["::1", 80, ""]);
  assert.deepEqual([mapped.local, mapped.remote, mapped.remote_port], ["127.0.0.1", "127.0.0.1", 50000]);
  const [udp] = readProcNet(UDP, "udp");
  assert.deepEqual([udp.local_port, udp.receive_queue, udp.drops, udp.uid], [53, 512, 42, 101]);
});

Deno.test("interfaces, also where the count touches the colon", () => {
  const [lo, eth0] = parseDevices(DEVICES);
  assert.deepEqual([lo.name, lo.received_bytes, lo.sent_packets], ["lo", 40755, 561]);
  assert.deepEqual(
    [
      eth0.name,
      eth0.received_bytes,
      eth0.received_errors,
      eth0.received_dropped,
      eth0.sent_errors,
      eth0.sent_dropped,
    ],
    ["eth0", 93269637, 1, 2, 3, 4],
  );
});

Deno.test("totals are found by name; an absent one stays absent", () => {
  const snmp = "Ip: A B\nIp: 1 2\nTcp: RtoMin MaxConn OutSegs RetransSegs\nTcp: 200 -1 5000 12\n";
  assert.deepEqual(parseTotals(snmp, "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 7\n"), {
    segments_out: 5000,
    retransmits: 12,
    established: undefined,
    listen_overflows: 7,
    timeouts: undefined,
  });
  assert.deepEqual(Object.values(parseTotals("", "")), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
