/**
 * `mdg monitor net` against real servers: a program that stands still (SIGSTOP) shows in the percentiles with all of its
 * wait, refusing and silent ports are losses, the kernel's figures are those of this process's own sockets.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { freePort } from "../../scripts/services/daemon.ts";
import { runMdg } from "../mdg_process.ts";
import { no_native } from "../native.ts";
import { TmuxScreen } from "./tmux_screen.ts";
import { is_long, serviceTest, testUnless } from "../services.ts";
import { DaemonProcess } from "../end_to_end/daemon_process.ts";
import { until } from "../end_to_end/until.ts";

const EVERY_S = is_long ? 0.1 : 0.05;
/** `--long`: the 15 s of the issue. */
const PAUSE_MS = is_long ? 15_000 : 4_000;
const UNREAD_BYTES = 12_345;

const monitor = (...args: string[]) => runMdg({ args: ["monitor", "net", ...args] });

function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

interface HostLine {
  target: string;
  answered: number;
  lost: number;
  loss_pct?: number;
  waiting: number;
  failure?: string;
  latency: { count: number; p50_us: number; p90_us: number; p99_us: number; max_us: number };
}

/** A server of our own that may be stopped, and a monitor that writes JSON lines about it. */
async function simulator(): Promise<{ server: DaemonProcess; address: string }> {
  const server = new DaemonProcess(["simulate", "--addr", "127.0.0.1:0", "--symbols", "BTCUSD"]);
  const line = await until("the depth server's address", () => server.stdout[0], 20_000, () => server.tail());
  const address = new URL(JSON.parse(line).url).host;
  return { server, address };
}

function hostsIn(line: string): HostLine[] {
  return JSON.parse(line).sample.hosts;
}

testUnless(
  no_native,
  "a pause of the server shows in the percentiles, while it lasts and after",
  async () => {
    const { server, address } = await simulator();
    await using _server = server;
    await using watch = new DaemonProcess([
      ..."monitor net --json --interval 0.5".split(" "),
      ...["--host", `ws://${address}`, "--host", `tcp://${address}`, "--every", String(EVERY_S)],
      ...["--handshake-timeout", String(2 * PAUSE_MS / 1_000)],
    ]);
    const latest = () => watch.stdout.length === 0 ? undefined : hostsIn(watch.stdout.at(-1)!);
    const healthy = await until("100 handshakes", () => {
      const hosts = latest();
      return hosts && hosts.every(({ answered }) => answered >= 100) && hosts;
    });
    for (const { loss_pct, target } of healthy) assert.equal(loss_pct, 0, target);

    const stopped_ms = systemClock.monotonic_ms();
    server.signal("SIGSTOP");
    const during = await until("a wait of half the pause", () => {
      const [web_socket] = latest()!;
      return web_socket.latency.max_us > PAUSE_MS * 500 && web_socket;
    }, 60_000);
    assert.ok(during.waiting > 0.4 * PAUSE_MS / 1_000 / EVERY_S, `${during.waiting} under way`);
    await until("the pause's end", () => systemClock.monotonic_ms() - stopped_ms >= PAUSE_MS, 60_000);
    server.signal("SIGCONT");
    const pause_us = (systemClock.monotonic_ms() - stopped_ms) * 1_000;
    const after = await until("all answered", () => {
      const hosts = latest();
      return hosts?.[0].waiting === 0 && hosts;
    }, 60_000);

    const [web_socket, tcp] = after;
    const missed = pause_us / 1e6 / EVERY_S;
    report(
      `paused ${Math.round(pause_us / 1e3)} ms: ${
        JSON.stringify({ web_socket: web_socket.latency, tcp: tcp.latency })
      }`,
    );
    // The server may have lost patience with a few that had waited for as long as it stood still.
    assert.ok(web_socket.lost <= missed / 20, `${web_socket.lost} lost of ${missed}: ${web_socket.failure}`);
    // Each of the handshakes that were due in the pause waited for its rest: evenly spread between nothing and all of it.
    assert.ok(web_socket.latency.max_us > 0.9 * pause_us, `max ${web_socket.latency.max_us}`);
    assert.ok(web_socket.latency.p99_us > 0.6 * pause_us, `p99 ${web_socket.latency.p99_us}`);
    const slow_share = missed / web_socket.answered;
    if (slow_share > 0.25) {
      assert.ok(
        web_socket.latency.p90_us > 0.3 * pause_us,
        `p90 ${web_socket.latency.p90_us}`,
      );
    }
    // TCP is answered by the kernel: it cannot tell that the program stood still.
    assert.ok(tcp.latency.p50_us < pause_us / 4 && tcp.loss_pct === 0);
  },
);

testUnless(no_native, "a refusing port, a silent one, a good one: loss, reasons, exit codes", async () => {
  const good = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of good) connection.close();
  })();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const waiting = [
    await Deno.connect({ port: silent.addr.port }),
    await Deno.connect({ port: silent.addr.port }),
  ];
  const fast = ["-w", "listen_overflows=~:", "--every", "0.1", "--handshake-timeout", "0.5"];
  const at = (port: number) => ["--host", `127.0.0.1:${port}`];

  const fine = await monitor("--check", ...at(good.addr.port), ...fast);
  assert.equal(fine.code, 0, fine.stdout);
  assert.match(fine.stdout, /^NET OK - .*1 host, 0% lost \|.* loss_pct=0%;1;50;0;100/);
  const refused = await monitor("--check", ...at(freePort()), ...at(good.addr.port), ...fast);
  assert.equal(refused.code, 2, refused.stdout);
  assert.match(refused.stdout, /^NET CRITICAL - .*loss_pct 100%.*: connection refused/);
  const dropped = await monitor("--check", ...at(silent.addr.port), ...fast);
  assert.equal(dropped.code, 2, dropped.stdout);
  assert.match(dropped.stdout, /: no answer.*latency_p50_us=500000us.*loss_pct=100%/);
  const allowed = await monitor(
    "--check",
    ...at(silent.addr.port),
    ...fast,
    "-w",
    "loss_pct=~:",
    "-c",
    "loss_pct=~:",
  );
  assert.equal(allowed.code, 0, allowed.stdout);
  const slow = ["--handshake-timeout", "30", "--timeout", "1", "-w", "listen_overflows=~:"];
  const patient = await monitor("--check", ...at(silent.addr.port), ...slow);
  assert.equal(patient.code, 2, patient.stdout);
  assert.match(patient.stdout, /^NET CRITICAL - .*: no answer yet/);
  const warned = await monitor("--check", ...at(good.addr.port), ...fast, "-w", "latency_p99_us=0");
  assert.equal(warned.code, 1, warned.stdout);

  const csv = await monitor("--csv", "--count", "1", ...at(silent.addr.port), ...at(good.addr.port), ...fast);
  assert.equal(csv.code, 0);
  const rows = csv.stdout.trim().split("\n").map((row) => row.split(","));
  const column = (name: string) => rows[0].indexOf(name);
  const hosts = rows.filter((row) => row[column("part")] === "host");
  assert.deepEqual(hosts.map((row) => [row[column("state")], row[column("loss_pct")]]), [
    ["no answer", "100"],
    ["answers", "0"],
  ]);
  assert.ok(rows.some((row) => row[column("part")] === "interface" && row[column("name")] === "lo"));
  assert.ok(rows.every((row) => row.length === rows[0].length));

  for (const one of waiting) one.close();
  silent.close();
  good.close();
  await accepting;
});

testUnless(no_native, "sockets: queues, owner and rates of what this process does", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = async () => [await Deno.connect({ port: listener.addr.port }), await listener.accept()];
  const [idle_client, idle_server] = await accept();
  for (let sent = 0; sent < UNREAD_BYTES;) {
    sent += await idle_client.write(new Uint8Array(UNREAD_BYTES - sent));
  }
  const [busy_client, busy_server] = await accept();
  let moved = 0;
  let is_on = true;
  const chunk = new Uint8Array(65_536);
  const pumping = Promise.all([
    (async () => {
      while (is_on) await busy_client.write(chunk);
      busy_client.close();
    })(),
    (async () => {
      const buffer = new Uint8Array(65_536);
      for (
        let count = await busy_server.read(buffer);
        count !== null;
        count = await busy_server.read(buffer)
      ) {
        moved += count;
      }
    })(),
  ]);
  const before = moved;
  const { code, stdout } = await monitor("--json", "--once", "--interval", "0.5");
  const after = moved;
  is_on = false;
  await pumping;

  assert.equal(code, 0);
  const { sample: { traffic }, readings } = JSON.parse(stdout);
  assert.equal(traffic.by, "sock_diag");
  interface Row {
    local_port: number;
    remote_port: number;
    pid?: number;
    receive_queue: number;
    received_bytes_per_s?: number;
    tcp: { rtt_us: number };
  }
  const sockets: Row[] = traffic.sockets;
  const idle = sockets.find((one) => one.remote_port === (idle_client.localAddr as Deno.NetAddr).port)!;
  assert.deepEqual([idle.receive_queue, idle.pid], [UNREAD_BYTES, Deno.pid]);
  assert.ok(readings.receive_queue_bytes >= UNREAD_BYTES);
  const busy = sockets.find((one) => one.remote_port === (busy_server.remoteAddr as Deno.NetAddr).port)!;
  const told = busy.received_bytes_per_s! * traffic.elapsed_s;
  report(`moved ${after - before} bytes while it looked, ${Math.round(told)} between its two looks`);
  // The kernel may have what we have not read yet, in a queue of a few megabytes.
  assert.ok(told > 0 && told <= after - before + 16_777_216, `${told} of ${after - before}`);
  const own = traffic.processes.find(({ pid }: { pid?: number }) => pid === Deno.pid);
  assert.ok(own.received_bytes_per_s * traffic.elapsed_s >= told * 0.99);

  for (const one of [idle_client, idle_server, busy_server, listener]) one.close();
});

serviceTest("tmux", "a terminal of 80×24: processes, connections, a host that dies", async (tmux) => {
  const { server, address } = await simulator();
  await using _server = server;
  await using screen = await TmuxScreen.start(tmux, [
    ..."monitor net --interval 0.5 --every 0.1 --handshake-timeout 1".split(" "),
    ...["--host", `ws://${address}`],
  ]);
  const text = await screen.shows(/^ in +\d[^]*ws:\/\/127\.0\.0\.1:\d+ .* 0%[^]*Processes[^]*\d/m);
  report(text);
  assert.ok(text.split("\n").every((line) => line.length <= 80), text);
  for (const [key, title] of [["F2", "Connections"], ["F3", "Interfaces"], ["F4", "Listening"]]) {
    await screen.type(key);
    await screen.shows(new RegExp(`^>? ?${title}`, "m"));
  }
  await screen.type("F1");
  await server.kill();
  await screen.shows(/(CRITICAL|WARNING)[^]*ws:\/\/127\.0\.0\.1:\d+ .*connection refu/);
  await screen.type("q");
  await screen.shows(/ended with 0/);
});
