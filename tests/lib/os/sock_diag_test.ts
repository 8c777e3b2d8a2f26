/** The kernel's sockets through netlink: checked against what this process did, and against `ss`. */
import assert from "node:assert/strict";
import { procFiles } from "../../../lib/os/proc_files.ts";
import { readDevices, readTcpTotals } from "../../../lib/os/network_devices.ts";
import { readProcNet } from "../../../lib/os/proc_net_table.ts";
import { readSockDiag, readSockets } from "../../../lib/os/sock_diag.ts";
import { SocketOwners } from "../../../lib/os/socket_owners.ts";
import { nativeTest, no_native } from "../../native.ts";
import { testUnless } from "../../services.ts";

const SENT_BYTES = 300_000;

/** A connection over loopback on which `client` sent and `server` has read nothing yet. */
async function connection() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [server, client] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  return {
    listener,
    server,
    client,
    port: client.localAddr.port,
    [Symbol.dispose]() {
      for (const one of [listener, server, client]) one.close();
    },
  };
}

nativeTest("bytes, queues and owners of a connection of our own", async () => {
  using pair = await connection();
  const chunk = new Uint8Array(SENT_BYTES);
  let sent = 0;
  while (sent < SENT_BYTES) sent += await pair.client.write(chunk.subarray(sent));
  const { by, sockets } = await readSockDiag();
  assert.equal(by, "sock_diag");
  const client = sockets.find((one) => one.local_port === pair.port && one.state === "established")!;
  const server = sockets.find((one) => one.remote_port === pair.port && one.state === "established")!;
  assert.equal(
    client.tcp!.bytes_acked! + client.send_queue - 1,
    SENT_BYTES,
    "acknowledged (with the SYN) or queued",
  );
  assert.equal(server.tcp!.bytes_received, server.receive_queue, "nothing is read yet");
  assert.ok(client.tcp!.rtt_us > 0 && client.tcp!.rtt_us < 10_000_000);
  const listening = sockets.find((one) =>
    one.local_port === pair.listener.addr.port && one.state === "listening"
  )!;
  assert.deepEqual([listening.receive_queue, listening.remote, listening.tcp], [0, "", undefined]);

  const owners = new SocketOwners(procFiles());
  const found = await owners.find(sockets);
  assert.equal(found.get(client.inode)?.pid, Deno.pid);
  assert.equal(found.get(server.inode)?.pid, Deno.pid);
  assert.equal((await owners.find(sockets)).get(client.inode)?.pid, Deno.pid, "from memory");
});

nativeTest("the fallback sees the same sockets", async () => {
  using pair = await connection();
  const files = procFiles();
  const { sockets } = await readSockets(files);
  const rows = readProcNet(files.text("/proc/net/tcp")!, "tcp");
  const [one, other] = [sockets, rows].map((list) => list.find((row) => row.local_port === pair.port)!);
  assert.deepEqual(
    [one.inode, one.uid, one.state, one.local, one.remote, one.remote_port],
    [other.inode, other.uid, other.state, other.local, other.remote, other.remote_port],
  );
  assert.equal(other.tcp, undefined);
});

const no_ss = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss"].some((path) => statOf(path)?.isFile)
  ? undefined
  : "no ss (iproute2)";
testUnless(no_native ?? no_ss, "ss -tin says the same", async () => {
  using pair = await connection();
  await pair.client.write(new Uint8Array(1_000));
  await pair.server.read(new Uint8Array(2_000));
  const output = await new Deno.Command("ss", { args: ["-tinH"] }).output();
  const text = new TextDecoder().decode(output.stdout);
  const { sockets } = await readSockDiag();
  const lines = text.split("\n");
  const at = lines.findIndex((line) =>
    line.includes(`127.0.0.1:${pair.port} `) && /127\.0\.0\.1:\d+\s*$/.test(line)
  );
  const said = (name: string) => Number(new RegExp(`\\b${name}:([\\d.]+)`).exec(lines[at + 1])?.[1] ?? 0);
  const { tcp } = sockets.find((one) => one.local_port === pair.port)!;
  assert.equal(tcp!.bytes_acked, said("bytes_acked"));
  assert.equal(tcp!.rtt_us / 1000, said("rtt"));
  assert.equal(tcp!.segments_out, said("segs_out"));
  assert.equal(tcp!.min_rtt_us! / 1000, said("minrtt"));
});

nativeTest("interfaces and totals of this machine", () => {
  const files = procFiles();
  const devices = readDevices(files);
  assert.ok(devices.some((one) => one.name === "lo" && one.received_bytes > 0 && one.mtu_bytes! > 0));
  assert.ok(readTcpTotals(files).segments_out! > 0);
});

nativeTest("a file that is not there is undefined", () => {
  const files = procFiles();
  assert.equal(files.text("/proc/no-such-file"), undefined);
  assert.equal(files.names("/proc/no-such-folder"), undefined);
  assert.equal(files.link("/proc/self/comm"), undefined);
});

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
