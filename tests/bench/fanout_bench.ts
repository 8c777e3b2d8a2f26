/**
 * The fan-out of the restream protocol on one core: messages per second to 50 clients beside `ws.send` per client and
 * nats-server's WebSocket, lateness from ingest to client at shares of that rate, what two Workers bring, what an idle
 * connection costs. Servers and clients are processes of their own, each pinned to a core; rates are told by the wall
 * and, since machines are shared, per second of the server's CPU time: the ratios are taken from the latter.
 * Targets: ≥ 10 × naive, ≥ 0.8 × nats-server, 2 workers ≥ 1.6 × one.
 * Run: deno task bench:fanout [--quick] [--json]
 */
import { makeCertificate } from "../certificate.ts";
import { print, row } from "./figures.ts";
import { canPin } from "./fanout/pinned_process.ts";
import {
  idleMemory,
  type Lateness,
  latenesses,
  natsRate,
  type Rate,
  saturatedRate,
  type WorkersRate,
  workersRate,
} from "./fanout/rounds.ts";

const CLIENTS = 50;
const quick = Deno.args.includes("--quick");
const json = Deno.args.includes("--json");
const ROUNDS = quick ? 1 : 3;
/** Of CPU time, for each figure. */
const SECONDS = quick ? 0.8 : 2;
const LATENCY_SECONDS = quick ? 3 : 10;
const IDLE_CONNECTIONS = quick ? 2_000 : 10_000;

const tell = json ? () => {} : print;
const line = json ? () => {} : row;
const load = () => Deno.loadavg()[0].toFixed(1);
const millions = (rate: number) => `${(rate / 1e6).toFixed(2)} M/s`;
const share = (busy: number) => `${Math.round(busy * 100)} %`;
const verdict = (ratio: number, wanted: number) =>
  `${ratio.toFixed(2)} ×, want ≥ ${wanted}: ${ratio >= wanted ? "met" : "MISSED"}`;

function median<T>(values: readonly T[], of: (value: T) => number): T {
  return [...values].sort((a, b) => of(a) - of(b))[values.length >> 1];
}

async function fanOut(): Promise<Record<string, Rate>> {
  tell(
    `messages to ${CLIENTS} clients, one core (load ${load()}${canPin() ? "" : ", NOT pinned: no taskset"})`,
  );
  const rates: Record<string, Rate[]> = { naive: [], nats: [], websocket: [], restream: [], fine: [] };
  // In turns, because the machine's mood changes from minute to minute.
  for (let i = 0; i < ROUNDS; i++) {
    rates.naive.push(await saturatedRate("naive", CLIENTS, SECONDS));
    const nats = await natsRate(CLIENTS, SECONDS, rates.naive[0].payload_bytes);
    if (nats) rates.nats.push(nats);
    rates.websocket.push(await saturatedRate("websocket", CLIENTS, SECONDS));
    rates.restream.push(await saturatedRate("restream", CLIENTS, SECONDS));
    rates.fine.push(await saturatedRate("websocket", CLIENTS, SECONDS, 16));
  }
  const names = {
    naive: "npm ws, send per message and client",
    nats: "nats-server's WebSocket",
    websocket: "mdg websocket, one thread",
    restream: "mdg restream, one thread",
    fine: "mdg websocket, 16 messages a turn",
  };
  const medians: Record<string, Rate> = {};
  for (const [kind, name] of Object.entries(names)) {
    if (rates[kind].length === 0) {
      line(name, "not measured", "want the Debian package nats-server");
      continue;
    }
    const rate = medians[kind] = median(rates[kind], (one) => one.per_cpu_second);
    const { per_second, server_busy, client_busy, payload_bytes } = rate;
    const busy = `server ${share(server_busy)} of a core, clients ${share(client_busy)}`;
    const remark = `by the wall ${millions(per_second)}; ${busy}; ${payload_bytes} B`;
    line(name, `${millions(rate.per_cpu_second)} per CPU s`, remark);
  }
  for (const kind of ["websocket", "restream"]) {
    const { per_cpu_second, per_second } = medians[kind];
    for (const [other, wanted] of [["naive", 10], ["nats", 0.8]] as const) {
      if (medians[other] === undefined) continue;
      const wall = `by the wall ${(per_second / medians[other].per_second).toFixed(2)} ×`;
      line(`  mdg ${kind} / ${other}`, wall, verdict(per_cpu_second / medians[other].per_cpu_second, wanted));
    }
  }
  return medians;
}

async function lateness(per_second: number): Promise<Lateness[]> {
  tell(`\nlateness ingest → client, ${CLIENTS} clients, open schedule (load ${load()})`);
  const all = await latenesses(CLIENTS, per_second, [0.1, 0.5, 0.9], LATENCY_SECONDS);
  for (const [i, one] of all.entries()) {
    const ms = (us: number) => (us / 1000).toFixed(2);
    const figures = `p50 ${ms(one.p50_us)}  p99 ${ms(one.p99_us)}  p99.9 ${ms(one.p999_us)} ms`;
    const remark = `max ${ms(one.max_us)} ms of ${one.samples}; ` +
      `${(one.delivered * 100).toFixed(1)} % delivered; ` +
      `a bare timer's p99 ${ms(one.timer_p99_us)} ms; clients ${share(one.client_busy)} of a core`;
    line(`  ${[10, 50, 90][i]} %: ${millions(one.per_second)}`, figures, remark);
  }
  return all;
}

async function workers(): Promise<WorkersRate[]> {
  tell(
    `\nrestream, clients in Workers (load ${load()}; by the CPU time of each thread while workers share one core)`,
  );
  const all: WorkersRate[] = [];
  for (const clients of [50, 400]) {
    const [one, two] = [await workersRate(1, clients, SECONDS), await workersRate(2, clients, SECONDS)];
    all.push(one, two);
    for (const rate of [one, two]) {
      const threads = rate.worker_s.map((s) => s.toFixed(3)).join(" + ");
      const remark =
        `the market's thread ${rate.market_s.toFixed(3)} s; by the wall, all of it and the clients on ` +
        `${navigator.hardwareConcurrency} cores: ${millions(rate.per_second)}; ${rate.laps} laps`;
      const what = `${rate.workers} worker${rate.workers > 1 ? "s" : ""}, ${clients} clients`;
      line(`  ${what}`, `${threads} CPU s per M`, remark);
    }
    const busiest = Math.max(...two.worker_s);
    const even = two.worker_s.reduce((sum, s) => sum + s, 0) / 2;
    const spread = `by even spread ${(one.worker_s[0] / even).toFixed(2)} ×`;
    line(`  2 workers / 1, ${clients} clients, as spread`, spread, verdict(one.worker_s[0] / busiest, 1.6));
  }
  return all;
}

async function idle(): Promise<Record<string, unknown>> {
  tell(`\nidle connections, restream (load ${load()})`);
  const folder = await Deno.makeTempDir();
  const results: Record<string, unknown> = {};
  try {
    await makeCertificate("openssl", folder);
    for (const kind of ["plain", "tls"]) {
      const memory = await idleMemory(IDLE_CONNECTIONS, kind === "tls" ? folder : undefined);
      results[kind] = memory;
      const { connections, bytes_per_connection, kernel_bytes_per_connection: kernel } = memory;
      const beside = kernel === undefined
        ? "what the kernel adds is not told here"
        : `the kernel's tables grew by ${(kernel / 1024).toFixed(1)} KiB for both ends`;
      const per = `${(bytes_per_connection / 1024).toFixed(1)} KiB each`;
      line(`  ${connections} connections, ${kind}`, per, `resident set; ${beside}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return results;
}

if (import.meta.main) {
  const rates = await fanOut();
  const late = await lateness(rates.websocket.per_second);
  const threads = await workers();
  const connections = await idle();
  if (json) print(JSON.stringify({ fanout: { rates, lateness: late, workers: threads, idle: connections } }));
}
