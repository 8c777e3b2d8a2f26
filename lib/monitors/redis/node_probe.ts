/**
 * One Redis process, asked at every look: INFO, then what it tells to look for (subscribers, channels, slow log). What the
 * user may not ask is left out and named; rates come from the counters of two looks.
 */
import { type Clock, withDeadline } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { RedisAddress, RedisAnswer } from "../../wire/redis/redis_link.ts";
import { type HostPort, RedisConnection } from "../../wire/redis/redis_connection.ts";
import { ReplyError } from "../../wire/redis/resp_reader.ts";
import { RespWriter } from "../../wire/redis/resp_writer.ts";
import { CounterRates } from "../counter_rates.ts";
import { RedisInfo } from "./info.ts";
import { type LatencyLook, LatencyProbe } from "./latency_probe.ts";
import { type Counter, countersOf, nodeSampleOf, slowLogOf } from "./node_sample.ts";
import type { NodeSample } from "./sample.ts";
import { untilReady } from "./until_ready.ts";
import { SubscriberWatch } from "./subscribers.ts";

/** PUBSUB CHANNELS goes through all of them, while the server does nothing else. */
const MAX_LISTED_CHANNELS = 10_000;
const MAX_COUNTED_CHANNELS = 2_000;
const SLOW_COMMANDS = 16;
/** Longer than any stall worth measuring on one connection; the pings of a longer one go on counting on the next. */
const PING_PATIENCE_MS = 60_000;

export interface NodeProbeOptions {
  /** Where it is and how to get in; `node` takes the place of its URL's host. */
  readonly address: RedisAddress;
  readonly node?: HostPort;
  readonly clock: Clock;
  readonly ping_period_ms: number;
  readonly timeout_ms: number;
}

export class NodeProbe {
  readonly connection: RedisConnection;
  readonly latency: LatencyProbe;
  readonly #pings: RedisConnection;
  readonly #subscribers = new SubscriberWatch();
  readonly #rates: CounterRates<Counter>;
  #own_commands = 0;
  #given_up = new AbortController();

  constructor(readonly options: NodeProbeOptions) {
    const { address, node, clock, ping_period_ms } = options;
    const context = { name: "monitor", clock, log: silentLog, seed: crypto.randomUUID() };
    this.#rates = new CounterRates(clock);
    this.connection = new RedisConnection(address, { ...context, onReady: () => {} }, {
      node,
    });
    this.#pings = new RedisConnection(
      { ...address, command_timeout_ms: PING_PATIENCE_MS },
      { ...context, name: "monitor-pings", onReady: () => this.latency.resume() },
      { node },
    );
    this.latency = new LatencyProbe(this.#pings, clock, ping_period_ms);
  }
  /** For people: "127.0.0.1:6379". */
  get address(): string {
    return this.connection.address;
  }
  /** Rejects, within the deadline, with why the node can't be asked. */
  async look(): Promise<{ node: NodeSample; latency: LatencyLook }> {
    const { clock, timeout_ms } = this.options;
    this.#given_up = new AbortController();
    try {
      return await withDeadline(clock, timeout_ms, `ask redis at ${this.address}`, this.#look());
    } catch (error) {
      const not_ready = this.connection.notReady();
      throw new Error(not_ready ?? this.connection.reason(error));
    } finally {
      // What still waits of this look would be in the way of the next one.
      this.#given_up.abort();
    }
  }
  /** Answers of commands in one batch; a server's refusal is an answer. @throws Error when the connection failed */
  async ask(commands: RespWriter): Promise<RedisAnswer[]> {
    await untilReady(this.connection, this.options.clock, this.#given_up.signal);
    this.#own_commands += commands.count;
    const answers = await this.connection.exec(commands);
    const broken = answers.find(([error]) => error !== null && !(error instanceof ReplyError));
    if (broken) throw broken[0]!;
    return answers;
  }
  async close(): Promise<void> {
    this.#given_up.abort();
    this.latency.close();
    await Promise.all([this.connection.close(), this.#pings.close()]);
  }

  async #look(): Promise<{ node: NodeSample; latency: LatencyLook }> {
    const [[refused, text]] = await this.ask(new RespWriter().command("INFO"));
    if (refused) throw refused;
    const own_commands = this.#own_commands + this.latency.sent;
    const info = new RedisInfo(String(text));
    const refusals = new Set<string>();
    const { values, channels } = await this.#details(info, refusals);
    const slow = slowLogOf(values.get("slow"));
    const slow_id = slow && (slow[0]?.id ?? -1);
    this.#rates.look(info.text("run_id") ?? "", countersOf(info, own_commands, slow_id));
    const counts = await this.#countSubscribers(channels, refusals);
    // Last: had the answers to wait, the pings that were due meanwhile belong to this look.
    const latency = this.latency.look();
    const node = nodeSampleOf(info, {
      address: this.address,
      rates: this.#rates,
      subscribers: this.#subscribers,
      now_ms: this.options.clock.monotonic_ms(),
      latency,
      values,
      channels: counts,
      refusals: [...refusals],
    });
    return { node, latency };
  }
  async #details(info: RedisInfo, refusals: Set<string>) {
    const lists_channels = (info.number("pubsub_channels") ?? 0) <= MAX_LISTED_CHANNELS;
    const has_shards = info.number("pubsubshard_channels") !== undefined;
    const commands: [name: string, ...words: (string | number)[]][] = [
      ["limits", "CONFIG", "GET", "client-output-buffer-limit"],
      ["subscribers", "CLIENT", "LIST", "TYPE", "pubsub"],
      ["slow", "SLOWLOG", "GET", SLOW_COMMANDS],
    ];
    if (lists_channels) commands.push(["channels", "PUBSUB", "CHANNELS"]);
    if (lists_channels && has_shards) commands.push(["shard_channels", "PUBSUB", "SHARDCHANNELS"]);
    const writer = new RespWriter();
    for (const [, ...words] of commands) writer.command(...words);
    const answers = await this.ask(writer);
    const values = new Map<string, unknown>();
    commands.forEach(([name, first, second], i) => {
      const [error, value] = answers[i];
      if (error === null) values.set(name, value);
      else refusals.add(`${first} ${second}`);
    });
    const names = (key: string) => (values.get(key) as string[] | undefined)?.slice(0, MAX_COUNTED_CHANNELS);
    return { values, channels: { plain: names("channels"), sharded: names("shard_channels") } };
  }
  async #countSubscribers(
    { plain, sharded }: { plain?: string[]; sharded?: string[] },
    refusals: Set<string>,
  ): Promise<{ channel: string; subscribers: number }[] | undefined> {
    if (plain === undefined) return undefined;
    const writer = new RespWriter();
    writer.command("PUBSUB", "NUMSUB", ...plain);
    if (sharded?.length) writer.command("PUBSUB", "SHARDNUMSUB", ...sharded);
    const counts: { channel: string; subscribers: number }[] = [];
    for (const [error, reply] of await this.ask(writer)) {
      if (error) refusals.add("PUBSUB NUMSUB");
      const flat = (reply ?? []) as (string | number)[];
      for (let i = 0; i + 1 < flat.length; i += 2) {
        counts.push({ channel: String(flat[i]), subscribers: Number(flat[i + 1]) });
      }
    }
    return counts.toSorted((one, other) => other.subscribers - one.subscribers);
  }
}
