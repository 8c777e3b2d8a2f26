/** One measured round of the fan-out bench: a server on one core, clients on the other, figures between two looks. */
import { sleep, systemClock } from "../../../lib/base/clock.ts";
import { NATS_REQUEST, natsMessageBytes, openNats } from "./nats.ts";
import { PinnedProcess, type Usage } from "./pinned_process.ts";

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;
const WARM_UP_MS = 800;
const LOOK_MS = 100;
/** On a busy machine a second of CPU time takes longer; at most so many times. */
const PATIENCE = 3;
const WORKER = /^worker-\d/;
const SUBSCRIBE = JSON.stringify({ type: "subscribe", symbol: "BTCUSDT", channel: "trades" });

export interface Rate {
  /** Messages delivered, by the clock on the wall and per second of the server's CPU time. */
  readonly per_second: number;
  readonly per_cpu_second: number;
  readonly payload_bytes: number;
  /** Shares of a core. */
  readonly server_busy: number;
  readonly client_busy: number;
}

interface Look {
  readonly frames: number;
  readonly payload_bytes: number;
  readonly at_ms: number;
  readonly server: Usage;
  readonly client: Usage;
}

async function look(server: PinnedProcess, client: PinnedProcess): Promise<Look> {
  const { frames, payload_bytes, at_ms } = await client.ask({ do: "count" });
  return { frames, payload_bytes, at_ms, server: server.usage(), client: client.usage() };
}

/** Two looks, so far apart that the server used `seconds` of CPU time between, or that patience ends. */
async function between(server: PinnedProcess, client: PinnedProcess, seconds: number): Promise<[Look, Look]> {
  await sleep(systemClock, WARM_UP_MS);
  const from = await look(server, client);
  for (let waited_ms = 0; waited_ms < seconds * 1000 * PATIENCE; waited_ms += LOOK_MS) {
    await sleep(systemClock, LOOK_MS);
    if (server.usage().cpu_s - from.server.cpu_s >= seconds) break;
  }
  return [from, await look(server, client)];
}

function rateOf([from, to]: [Look, Look], messages: number, payload_bytes: number): Rate {
  const wall_s = (to.at_ms - from.at_ms) / 1000;
  const server_s = to.server.cpu_s - from.server.cpu_s;
  return {
    per_second: messages / wall_s,
    per_cpu_second: messages / server_s,
    payload_bytes,
    server_busy: server_s / wall_s,
    client_busy: (to.client.cpu_s - from.client.cpu_s) / wall_s,
  };
}

export function countingClient(address: string, clients: number, options: string[] = []): PinnedProcess {
  return PinnedProcess.script("counting_client.ts", CLIENT_CORE, [
    address,
    String(clients),
    "text",
    ...options,
  ]);
}

/** As fast as clients take it, one server process on one core. */
export async function saturatedRate(
  kind: "naive" | "websocket" | "restream",
  clients: number,
  seconds: number,
  burst = 64,
): Promise<Rate> {
  await using server = PinnedProcess.script("servers.ts", SERVER_CORE, [kind, `--burst=${burst}`]);
  const { address } = await server.next();
  await using client = countingClient(address, clients, kind === "naive" ? [] : [SUBSCRIBE]);
  await client.next();
  server.tell({ do: "saturate" });
  const looks = await between(server, client, seconds);
  const [from, to] = looks;
  const messages = to.frames - from.frames;
  return rateOf(looks, messages, Math.round((to.payload_bytes - from.payload_bytes) / messages));
}

/** The same of nats-server; undefined where it is not installed. */
export async function natsRate(
  clients: number,
  seconds: number,
  payload_bytes: number,
): Promise<Rate | undefined> {
  await using nats = await openNats(SERVER_CORE);
  if (nats === undefined) return undefined;
  await using client = PinnedProcess.script("counting_client.ts", CLIENT_CORE, [
    nats.ws_address,
    String(clients),
    "binary",
    NATS_REQUEST,
  ]);
  await client.next();
  await using publisher = PinnedProcess.script("nats.ts", CLIENT_CORE, [
    nats.tcp_address,
    String(payload_bytes),
  ]);
  await publisher.next();
  const looks = await between(nats.process, client, seconds);
  const [from, to] = looks;
  const messages = (to.payload_bytes - from.payload_bytes) / natsMessageBytes(payload_bytes);
  return rateOf(looks, messages, payload_bytes);
}

export interface Lateness {
  readonly per_second: number;
  /** Deliveries that came, of those that were due. */
  readonly delivered: number;
  readonly samples: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly p999_us: number;
  readonly max_us: number;
  /** p99 lateness of a bare timer in the clients' process: what the machine itself adds. */
  readonly timer_p99_us: number;
  readonly client_busy: number;
}

/** Lateness at each share of a rate, from one server and one set of clients. */
export async function latenesses(
  clients: number,
  per_second: number,
  shares: readonly number[],
  seconds: number,
): Promise<Lateness[]> {
  const results: Lateness[] = [];
  for (const share of shares) {
    await using server = PinnedProcess.script("servers.ts", SERVER_CORE, ["websocket"]);
    const { address } = await server.next();
    await using client = countingClient(address, clients, [SUBSCRIBE]);
    await client.next();
    server.tell({ do: "pace", per_second: per_second * share / clients });
    await sleep(systemClock, WARM_UP_MS);
    const every = Math.max(1, Math.ceil(per_second * share * seconds / 1_000_000));
    await client.ask({ do: "sample", every });
    const from = await look(server, client);
    await sleep(systemClock, seconds * 1000);
    const to = await look(server, client);
    const late = await client.ask({ do: "lateness" });
    server.tell({ do: "stop" });
    const wall_s = (to.at_ms - from.at_ms) / 1000;
    results.push({
      per_second: per_second * share,
      delivered: (to.frames - from.frames) / (per_second * share * wall_s),
      samples: late.samples,
      p50_us: late.p50_us,
      p99_us: late.p99_us,
      p999_us: late.p999_us,
      max_us: late.max_us,
      timer_p99_us: late.timer_p99_us,
      client_busy: (to.client.cpu_s - from.client.cpu_s) / wall_s,
    });
  }
  return results;
}

export interface WorkersRate {
  readonly workers: number;
  readonly clients: number;
  /** CPU seconds of each worker's thread, and of the thread with the market, per million messages delivered. */
  readonly worker_s: readonly number[];
  readonly market_s: number;
  /** By the wall, every thread where the system puts it. */
  readonly per_second: number;
  readonly laps: number;
}

/**
 * Two runs: one with all workers on one core and everything else on the other, so that workers are what limits and their
 * CPU time is that of workers that have all the work they can do; one as the system spreads threads, for the wall.
 */
export async function workersRate(workers: number, clients: number, seconds: number): Promise<WorkersRate> {
  const held = await workersRun(workers, clients, seconds, true);
  const free = await workersRun(workers, clients, seconds / 2, false);
  return { ...held, per_second: free.per_second };
}

async function workersRun(
  workers: number,
  clients: number,
  seconds: number,
  hold: boolean,
): Promise<WorkersRate> {
  const options = ["restream", `--workers=${workers}`];
  await using server = PinnedProcess.script("servers.ts", hold ? CLIENT_CORE : undefined, options);
  const { address } = await server.next();
  if (hold) await server.pinThreads(WORKER, SERVER_CORE);
  await using client = countingClient(address, clients, ["--credit", SUBSCRIBE]);
  await client.next();
  client.onProgress = (said) => server.tell(said);
  server.tell({ do: "saturate", credit: true });
  const [from, to] = await between(server, client, seconds);
  const { laps } = await server.ask({ do: "facts" });
  const messages = to.frames - from.frames;
  const used = (match: (name: string) => boolean) =>
    [...to.server.threads].filter(([name]) => match(name))
      .map(([name, cpu_s]) => (cpu_s - (from.server.threads.get(name) ?? 0)) / messages * 1e6);
  return {
    workers,
    clients,
    worker_s: used((name) => WORKER.test(name)),
    market_s: used((name) => name === "deno")[0],
    per_second: messages / ((to.at_ms - from.at_ms) / 1000),
    laps,
  };
}

export interface IdleMemory {
  readonly connections: number;
  readonly bytes_per_connection: number;
  /** What the kernel's tables grew by, both ends on this machine; undefined where it does not say. */
  readonly kernel_bytes_per_connection: number | undefined;
}

export async function idleMemory(connections: number, tls_folder?: string): Promise<IdleMemory> {
  const tls = tls_folder === undefined ? [] : [`--tls=${tls_folder}`];
  const options = [`--max-clients=${connections + 1_000}`, ...tls];
  await using server = PinnedProcess.script("servers.ts", SERVER_CORE, ["restream", ...options]);
  const { address } = await server.next();
  const how = tls_folder === undefined ? "plain" : "tls";
  const hold = (count: number) =>
    PinnedProcess.script("idle_client.ts", CLIENT_CORE, [address, String(count), how]);
  const settled = async () => {
    await server.ask({ do: "collect" });
    await sleep(systemClock, 500);
    return server.usage().rss_bytes;
  };
  // What the first connections bring along once (compiled code, tables) is not theirs.
  await using first = hold(200);
  await first.next();
  const before_bytes = await settled();
  const kernel_before = kernelBytes();
  await using clients = hold(connections);
  await clients.next();
  const after_bytes = await settled();
  const kernel_after = kernelBytes();
  return {
    connections,
    bytes_per_connection: (after_bytes - before_bytes) / connections,
    kernel_bytes_per_connection: kernel_before === undefined || kernel_after === undefined
      ? undefined
      : (kernel_after - kernel_before) / connections,
  };
}

function kernelBytes(): number | undefined {
  try {
    return Number(/^Slab:\s+(\d+) kB/m.exec(Deno.readTextFileSync("/proc/meminfo"))![1]) * 1024;
  } catch {
    return undefined;
  }
}
