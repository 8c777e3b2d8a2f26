/**
 * A thousand clients with two streams each at the default interval: how late does a book arrive, counted from the time it
 * carries? Then with 100 of them not reading. Server and clients are processes of their own, the server on one core; the
 * machine's own lateness (a timer in the client process) is shown beside it. Targets: p99 < 50 ms; slow readers change
 * the others' p99 by less than 20 %; memory under the bound that follows from the server's limits.
 * Run: deno run -A tests/bench/depth_server_bench.ts [--clients=1000] [--seconds=20] [--repeats=3] [--json]
 */
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { DATA_BYTES } from "../../lib/servers/depth/depth_client.ts";
import { mdgCommand } from "../mdg_process.ts";
import { quantile, row } from "./figures.ts";

const INTERVAL_MS = 300;
const SETTLE_MS = 2_000;
const STREAMS = [{ symbol: "BTCUSD", data_type: "MBP" }, { symbol: "ETHUSD", data_type: "MBO" }];

interface Round {
  name: string;
  clients: number;
  slow: number;
  /** The slow ones ask for everything, so that the kernel's buffers fill and the server's own bounds must hold. */
  slow_levels: number;
}
interface Figures {
  name: string;
  p50_ms: number;
  /** Median over the seconds of each second's p99: what a busy neighbour on the machine does not spoil. */
  typical_p99_ms: number;
  p99_ms: number;
  max_ms: number;
  messages: number;
  /** Messages that healthy clients should have got and did not. */
  missing: number;
  server_cpu: number;
  server_rss_mb: number;
  /** p99 lateness of a 10 ms timer in the client process: what the machine itself adds. */
  timer_p99_ms: number;
  skipped: number;
  slow_closes: number;
}

/** Runs on one core where the system has a way to say so. */
async function pinned(core: number, program: string, args: string[]): Promise<Deno.ChildProcess> {
  const options = { stdin: "null", stdout: "piped", stderr: "null" } as const;
  try {
    await Deno.stat("/usr/bin/taskset");
    return new Deno.Command("taskset", { args: ["-c", String(core), program, ...args], ...options }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return new Deno.Command(program, { args, ...options }).spawn();
  }
}

async function firstLine(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended before it said anything: ${text}`);
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return text.split("\n")[0];
}

/** User and system time in seconds, and resident megabytes, of a process; Linux only. */
function usage(pid: number): { cpu_s: number; rss_mb: number } {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    cpu_s: (Number(fields[11]) + Number(fields[12])) / 100,
    rss_mb: Number(fields[21]) * 4096 / 2 ** 20,
  };
}

/** The client process: connects everyone, measures, prints one JSON line. */
async function runClients(url: string, round: Round, seconds: number): Promise<void> {
  const healthy = round.clients - round.slow;
  let lateness = new Float64Array(Math.ceil((healthy * STREAMS.length * seconds * 1000) / INTERVAL_MS * 1.5));
  const received_at_ms = new Float64Array(lateness.length);
  let received = 0;
  let is_measuring = false;
  const onData = (data: Uint8Array) => {
    if (!is_measuring) return;
    const at = timestampAt(data);
    if (at === 0) return;
    const now_ms = systemClock.now_us() / 1000;
    received_at_ms[received] = now_ms;
    lateness[received++] = now_ms - at;
  };
  const open = async (slow: boolean): Promise<void> => {
    const ws = new WebSocket(url, { skipUTF8Validation: true, perMessageDeflate: false });
    ws.on("error", () => {});
    await once(ws, "open");
    STREAMS.forEach((stream, i) => {
      const max_levels = slow ? round.slow_levels : 20;
      ws.send(JSON.stringify({ type: "Subscribe", stream_id: `stream-${i}`, ...stream, max_levels }));
    });
    if (slow) {
      ws.pause();
      // A slow reader that was cut comes back, as real ones do.
      ws.on("close", () => void open(true).catch(() => {}));
    } else ws.on("message", onData);
  };
  for (let i = 0; i < round.clients; i += 50) {
    const batch = Math.min(50, round.clients - i);
    await Promise.all(Array.from({ length: batch }, (_, k) => open(i + k < round.slow)));
  }
  await sleep(systemClock, SETTLE_MS);
  let timer_samples: number[] = [];
  let due_ms = systemClock.monotonic_ms() + 10;
  const timer = systemClock.every(10, () => {
    const now_ms = systemClock.monotonic_ms();
    timer_samples.push(Math.max(0, now_ms - due_ms));
    due_ms = now_ms + 10;
  });
  is_measuring = true;
  await sleep(systemClock, seconds * 1000);
  is_measuring = false;
  timer.cancel();
  lateness = lateness.subarray(0, received);
  const result = {
    typical_p99_ms: typicalP99(lateness, received_at_ms),
    p50_ms: quantile(lateness, 0.5),
    p99_ms: quantile(lateness, 0.99),
    max_ms: lateness[lateness.length - 1],
    messages: received,
    timer_p99_ms: quantile(Float64Array.from(timer_samples), 0.99),
  };
  timer_samples = [];
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result) + "\n"));
  Deno.exit(0);
}

function typicalP99(lateness: Float64Array, received_at_ms: Float64Array): number {
  const seconds: number[] = [];
  for (let from = 0; from < lateness.length;) {
    let to = from;
    while (to < lateness.length && received_at_ms[to] < received_at_ms[from] + 1_000) to++;
    seconds.push(quantile(lateness.slice(from, to), 0.99));
    from = to;
  }
  return median(seconds);
}

const MARK = new TextEncoder().encode('"timestamp":"');
/** The message's own time in Unix milliseconds, read where it stands; 0 where there is none near the start. */
function timestampAt(data: Uint8Array): number {
  search: for (let at = 60; at < 160 && at + 40 < data.length; at++) {
    for (let i = 0; i < MARK.length; i++) if (data[at + i] !== MARK[i]) continue search;
    const text = String.fromCharCode(...data.subarray(at + MARK.length, at + MARK.length + 26));
    return Date.parse(text.slice(0, 19) + "Z") + Number(text.slice(20, 26)) / 1000;
  }
  return 0;
}

async function measure(round: Round, seconds: number): Promise<Figures> {
  const { program, args } = mdgCommand();
  const simulate = ["simulate", "--addr", "127.0.0.1:0", "--symbols", "BTCUSD,ETHUSD,ADAUSD", "--seed", "1"];
  const server = await pinned(0, program, [...args, ...simulate]);
  try {
    const { url, health_url } = JSON.parse(await firstLine(server));
    const self = new URL(import.meta.url).pathname;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const clients = await pinned(1, Deno.execPath(), [
      "run",
      "--quiet",
      "--allow-all",
      "--config",
      config,
      self,
      "--role",
      url,
      JSON.stringify(round),
      String(seconds),
    ]);
    const from = { ...usage(server.pid), at_ms: systemClock.monotonic_ms() };
    let peak_mb = 0;
    const watch = systemClock.every(250, () => peak_mb = Math.max(peak_mb, usage(server.pid).rss_mb));
    const result = JSON.parse(await firstLine(clients));
    watch.cancel();
    await clients.status;
    await clients.stdout.cancel();
    const to = usage(server.pid);
    const health = await (await fetch(health_url)).json();
    const expected = (round.clients - round.slow) * STREAMS.length * Math.floor(seconds * 1000 / INTERVAL_MS);
    return {
      name: round.name,
      ...result,
      missing: Math.max(0, expected - result.messages),
      server_cpu: (to.cpu_s - from.cpu_s) / ((systemClock.monotonic_ms() - from.at_ms) / 1000),
      server_rss_mb: Math.max(peak_mb, to.rss_mb),
      skipped: health.skipped,
      slow_closes: health.closes.slow ?? 0,
    };
  } finally {
    server.kill("SIGTERM");
    await server.status;
    await server.stdout.cancel();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function show(figures: readonly Figures[]): void {
  for (const one of figures) {
    const [p50, typical, p99] = [one.p50_ms, one.typical_p99_ms, one.p99_ms].map((ms) => ms.toFixed(1));
    const late = `p50 ${p50}  p99 ${p99} (${typical}) ms`;
    const messages = `${one.messages} messages, ${one.missing} missing`;
    row(
      one.name,
      late,
      `max ${one.max_ms.toFixed(0)} ms; ${messages}; a bare timer's p99 ${one.timer_p99_ms.toFixed(1)} ms`,
    );
    const cpu = `${(one.server_cpu * 100).toFixed(0)} % of a core`;
    const slow = `${one.skipped} books left out, ${one.slow_closes} slow readers closed`;
    row("  server", `${one.server_rss_mb.toFixed(0)} MB, ${cpu}`, slow);
  }
}

function option(name: string, fallback: number): number {
  const found = Deno.args.find((arg) => arg.startsWith(`--${name}=`));
  return found === undefined ? fallback : Number(found.split("=")[1]);
}

if (import.meta.main) {
  if (Deno.args[0] === "--role") {
    const [, url, round, seconds] = Deno.args;
    await runClients(url, JSON.parse(round), Number(seconds));
  }
  const clients = option("clients", 1_000);
  const seconds = option("seconds", 20);
  const slow = Math.floor(clients / 10);
  const repeats = option("repeats", 3);
  const all = { name: `${clients} clients × 2 streams`, clients, slow: 0, slow_levels: 20 };
  const some_slow = { ...all, name: `${clients}, ${slow} of them not reading`, slow };
  const greedy = { ...some_slow, name: `${clients}, ${slow} not reading 1,000 levels`, slow_levels: 1_000 };
  const figures: Figures[] = [];
  // In turns, because the machine's mood changes from minute to minute.
  for (let i = 0; i < repeats; i++) {
    for (const round of [all, some_slow]) figures.push(await measure(round, seconds));
  }
  figures.push(await measure(greedy, seconds));
  const medianOf = ({ name }: Round, value: (one: Figures) => number) =>
    median(figures.filter((one) => one.name === name).map(value));
  const summary = {
    p99_ms: medianOf(all, (one) => one.p99_ms),
    slow_p99_ms: medianOf(some_slow, (one) => one.p99_ms),
    typical_p99_ms: medianOf(all, (one) => one.typical_p99_ms),
    slow_typical_p99_ms: medianOf(some_slow, (one) => one.typical_p99_ms),
    max_rss_mb: Math.max(...figures.map((one) => one.server_rss_mb)),
    waiting_bound_mb: slow * DATA_BYTES / 2 ** 20,
  };
  if (Deno.args.includes("--json")) {
    const text = JSON.stringify({ depth_server: { summary, figures } }) + "\n";
    await Deno.stdout.write(new TextEncoder().encode(text));
  } else {
    show(figures);
    const compare = (what: string, from_ms: number, to_ms: number) => {
      const change = `${((to_ms / from_ms - 1) * 100).toFixed(0)} %`;
      row(what, `${from_ms.toFixed(1)} → ${to_ms.toFixed(1)} ms`, change);
    };
    row("", "", "in brackets: the median second's p99");
    compare("p99 of a second: all reading → some not", summary.typical_p99_ms, summary.slow_typical_p99_ms);
    compare("p99 of a round: all reading → some not", summary.p99_ms, summary.slow_p99_ms);
    const bound = `${summary.max_rss_mb.toFixed(0)} MB`;
    row(
      "most memory of any round",
      bound,
      `of it waiting: at most ${summary.waiting_bound_mb.toFixed(0)} MB`,
    );
  }
}
