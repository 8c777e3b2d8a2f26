/** Rates from two looks at this machine's own counters: what was sent in between is what is told, to the byte. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { TrafficMeter } from "../../../../lib/monitors/net/traffic.ts";
import { type ProcFiles, procFiles } from "../../../../lib/os/proc_files.ts";
import { nativeTest } from "../../../native.ts";

const BYTES = 2_000_000;

async function pair() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [server, client] = await Promise.all([listener.accept(), Deno.connect({ port: listener.addr.port })]);
  return {
    server,
    client,
    port: client.localAddr.port,
    [Symbol.dispose]() {
      for (const one of [listener, server, client]) one.close();
    },
  };
}

async function move(from: Deno.Conn, to: Deno.Conn, bytes: number): Promise<void> {
  const send = async () => {
    const chunk = new Uint8Array(bytes);
    for (let sent = 0; sent < bytes;) sent += await from.write(chunk.subarray(sent));
  };
  const receive = async () => {
    const chunk = new Uint8Array(65_536);
    for (let got = 0; got < bytes;) got += await to.read(chunk) ?? Infinity;
  };
  await Promise.all([send(), receive()]);
}

nativeTest("bytes a second of a socket, its process and its interface", async () => {
  using one = await pair();
  const meter = new TrafficMeter(procFiles(), systemClock);
  const first = await meter.look();
  assert.equal(first.elapsed_s, undefined);
  assert.equal(first.sockets.find(({ local_port }) => local_port === one.port)!.sent_bytes_per_s, undefined);
  await move(one.client, one.server, BYTES);
  const { elapsed_s, sockets, processes, devices, established, by } = await meter.look();
  assert.equal(by, "sock_diag");
  const client = sockets.find(({ local_port }) => local_port === one.port)!;
  const server = sockets.find(({ remote_port }) => remote_port === one.port)!;
  assert.equal(Math.round(client.sent_bytes_per_s! * elapsed_s!) + client.send_queue, BYTES);
  assert.equal(Math.round(server.received_bytes_per_s! * elapsed_s!), BYTES);
  assert.deepEqual([client.pid, server.pid], [Deno.pid, Deno.pid]);
  const own = processes.find(({ pid }) => pid === Deno.pid)!;
  assert.ok(Math.round(own.received_bytes_per_s! * elapsed_s!) >= BYTES && own.sockets >= 3);
  assert.ok(
    Math.round(devices.find(({ name }) => name === "lo")!.received_bytes_per_s! * elapsed_s!) >= BYTES,
  );
  assert.ok(established >= 2);
});

nativeTest("a connection that began between two looks counts whole; what waits unread shows", async () => {
  const meter = new TrafficMeter(procFiles(), systemClock);
  await meter.look();
  using one = await pair();
  await one.client.write(new Uint8Array(1_000));
  const { sockets, elapsed_s, processes } = await meter.look();
  const server = sockets.find(({ remote_port }) => remote_port === one.port)!;
  assert.equal(Math.round(server.received_bytes_per_s! * elapsed_s!), 1_000);
  assert.equal(server.receive_queue, 1_000);
  assert.ok(processes.find(({ pid }) => pid === Deno.pid)!.receive_queue >= 1_000);
});

nativeTest("processes that may not be looked into: their sockets stay, under the user", async () => {
  using one = await pair();
  const files = procFiles();
  const closed: ProcFiles = {
    ...files,
    names: (path) => path.startsWith(`/proc/${Deno.pid}/`) ? undefined : files.names(path),
  };
  const { sockets, processes, missing } = await new TrafficMeter(closed, systemClock).look();
  const client = sockets.find(({ local_port }) => local_port === one.port)!;
  assert.deepEqual([client.pid, client.process], [undefined, undefined]);
  const [gathered] = processes.filter(({ pid, name }) =>
    pid === undefined && name === `(user ${client.uid})`
  );
  assert.ok(gathered.sockets >= 3);
  assert.match(missing.join(), /the process of \d+ sockets \(\d+ processes are other users' or just ended\)/);
});
