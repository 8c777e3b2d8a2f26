/** One isolation run: the server in a process of its own, the clients here; what came of it, checked for every client. */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../../lib/base/clock.ts";
import { path } from "../../mdg_process.ts";
import { until } from "../until.ts";
import { type Lateness, MarketClient, type Pace } from "./market_client.ts";
import type { IsolationPlan } from "./plan.ts";

const MAX_SAMPLES = 6_000_000;
const SETTLE_LIMIT_MS = 120_000;
const DEPTH = 20;

export interface Outcome {
  /** Of all deltas to healthy clients, sorted. */
  readonly lateness_us: Float64Array;
  /** Median over the seconds of each second's p99: what a busy neighbour on the machine does not spoil. */
  readonly typical_p99_us: number;
  readonly peak_bytes: number;
  readonly trades: number;
  readonly deltas: number;
  /** What the server says it skipped, and what clients were told. */
  readonly skipped: { readonly book: number; readonly trades: number };
  readonly announced: { readonly book: number; readonly trades: number };
  /** The same of the healthy ones. */
  readonly healthy_skipped: number;
  readonly closes: Readonly<Record<string, number>>;
  readonly connections: number;
  readonly guard: Readonly<Record<string, number>>;
}

/** `core` of the server, where the machine can pin. Throws where a client lost something without a word. */
export async function runIsolation(plan: IsolationPlan, core?: number): Promise<Outcome> {
  const script = new URL("./server_process.ts", import.meta.url).pathname;
  const flags = ["run", "-A", "--no-check", "--quiet", "--v8-flags=--expose-gc,--max-semi-space-size=4"];
  const command = [Deno.execPath(), ...flags, "--config", path("deno.json"), script, JSON.stringify(plan)];
  if (core !== undefined) command.unshift("taskset", "-c", String(core));
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(child.stdout);
  const stdin = child.stdin.getWriter();
  const clients: MarketClient[] = [];
  try {
    const { address } = await nextLine(lines);
    const lateness: Lateness = {
      samples: new Float64Array(MAX_SAMPLES),
      meant_s: new Float64Array(MAX_SAMPLES),
      count: 0,
    };
    const paces: [Pace, number][] = [["healthy", plan.healthy], ["slow", plan.slow], ["deaf", plan.deaf]];
    for (const [pace, count] of paces) {
      for (let i = 0; i < count; i++) {
        const depth = i % 2 === 0 ? undefined : DEPTH;
        clients.push(new MarketClient(address, pace, depth, pace === "healthy" ? lateness : undefined));
      }
    }
    const broken = Promise.all(clients.map(({ running }) => running));
    const orBroken = <T>(work: Promise<T>) => Promise.race([work, broken.then(() => work)]);
    await orBroken(Promise.all(clients.map(({ ready }) => ready)));
    await stdin.write(new TextEncoder().encode("start\n"));
    const facts = await orBroken(nextLine(lines));
    for (const client of clients) client.hurry();
    await orBroken(settle(clients, facts));
    await stdin.write(new TextEncoder().encode("again\n"));
    const end = await orBroken(nextLine(lines));
    checkBooks(clients, end);
    return outcomeOf(clients, end, lateness);
  } finally {
    for (const client of clients) client.stop();
    // The server's end ends every read that waits.
    await stdin.close().catch(() => {});
    await lines.return(undefined);
    await child.status;
    await Promise.all(clients.map(({ running }) => running));
  }
}

// deno-lint-ignore no-explicit-any -- the facts of our own process
type Facts = any;

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

async function nextLine(lines: AsyncGenerator<string>): Promise<Facts> {
  const { value, done } = await lines.next();
  if (done) throw new Error("run the server: it ended");
  return JSON.parse(value);
}

/** Until every client has had or was told of every trade, and its book is the last one. */
async function settle(clients: readonly MarketClient[], facts: Facts): Promise<void> {
  const waiting = new Set(clients);
  await until(
    "every client to have caught up",
    () => {
      for (const client of waiting) {
        const { delivered, skipped } = client.trades;
        if (delivered + skipped >= facts.trades && isRight(client, facts)) waiting.delete(client);
      }
      return waiting.size === 0;
    },
    SETTLE_LIMIT_MS,
    () => {
      const [one] = waiting;
      return `${waiting.size} have not; one is ${one.pace}, trades ${
        JSON.stringify(one.trades)
      } of ${facts.trades}, ` +
        `book ${one.book.seq} of ${facts.sequence}, ${one.connections} connections`;
    },
  );
  // Whatever would come twice had its time.
  await sleep(systemClock, 50);
}

function isRight({ book, depth }: MarketClient, facts: Facts): boolean {
  const { bids, asks } = book.sorted();
  const cut = (side: unknown[]) => side.slice(0, depth ?? side.length);
  return book.seq !== undefined && JSON.stringify([bids, asks]) ===
      JSON.stringify([cut(facts.bids), cut(facts.asks)]);
}

function checkBooks(clients: readonly MarketClient[], facts: Facts): void {
  for (const client of clients) {
    const { delivered, skipped } = client.trades;
    assert.equal(delivered + skipped, facts.trades, `trades of a ${client.pace} client`);
    assert.ok(isRight(client, facts), `book of a ${client.pace} client`);
  }
}

function outcomeOf(clients: readonly MarketClient[], facts: Facts, lateness: Lateness): Outcome {
  const sum = (of: (client: MarketClient) => number) => clients.reduce((all, one) => all + of(one), 0);
  return {
    typical_p99_us: typicalP99(lateness),
    lateness_us: lateness.samples.slice(0, lateness.count).sort(),
    peak_bytes: facts.peak_bytes,
    trades: facts.trades,
    deltas: facts.sequence - 1,
    skipped: facts.skipped,
    announced: { book: sum((one) => one.skipped_deltas), trades: sum((one) => one.trades.skipped) },
    healthy_skipped: sum((one) => one.pace === "healthy" ? one.skipped_deltas + one.trades.skipped : 0),
    closes: facts.closes,
    connections: sum((one) => one.connections),
    guard: facts.guard,
  };
}

function typicalP99({ samples, meant_s, count }: Lateness): number {
  const by_second = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const second = by_second.get(meant_s[i]);
    if (second) second.push(samples[i]);
    else by_second.set(meant_s[i], [samples[i]]);
  }
  const all = [...by_second.values()].map((one) => {
    one.sort((a, b) => a - b);
    return one[Math.floor(0.99 * (one.length - 1))];
  });
  return all.sort((a, b) => a - b)[all.length >> 1];
}
