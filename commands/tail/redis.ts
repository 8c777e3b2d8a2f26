/** `mdg tail redis`: messages of channels and patterns, or entries of streams, as their consumers get them. */
import { UserError } from "../../lib/base/errors.ts";
import { sleep } from "../../lib/base/clock.ts";
import { defineCommand, type World } from "../../lib/cli/command.ts";
import { LINE_TAIL_FLAGS, LineTail } from "../../lib/cli/line_tail.ts";
import { REDIS_ADDRESS_FLAGS, redisSettingsOf } from "../../lib/config/redis_flags.ts";
import type { RedisAddress } from "../../lib/wire/redis/redis_link.ts";

const DEFAULT_PATTERNS = ["orderbook:*", "trades:*"];
/** After so long without a connection it is a failure; later breaks are waited out. */
const CONNECT_LIMIT_MS = 3_000;
const LOOK_MS = 50;
const MAX_ENTRIES = 1_000;
const BLOCK_MS = 500;
const POLL_MS = 20;

export const tailRedis = defineCommand({
  summary: "Print messages of Redis channels, or entries of Redis streams",
  description:
    "Without CHANNEL: orderbook:* and trades:*. A name with * or ? is a pattern. What comes while the connection is away " +
    "is lost with channels and told on stderr; streams are read on where they were. The password is taken from the " +
    "variable REDISCLI_AUTH.",
  arguments: [{
    name: "CHANNEL",
    doc: "channel, pattern, or with --streams the key of a stream",
    many: true,
  }],
  flags: {
    ...REDIS_ADDRESS_FLAGS,
    sharded: { type: "boolean", doc: "sharded channels (SPUBLISH); no patterns" },
    streams: { type: "boolean", doc: "the names are streams" },
    from: {
      type: "text",
      value: "ID",
      default: "$",
      doc: "with --streams: $ what comes from now on, 0 all there is, or an id",
    },
    ...LINE_TAIL_FLAGS,
  },
  examples: [
    { command: "mdg tail redis", doc: "all books and trades" },
    { command: "mdg tail redis trades:BTCUSDT --count 10", doc: "ten trades" },
    { command: "mdg tail redis --streams trades:BTCUSDT --from 0", doc: "a stream from its beginning" },
  ],
  async run(world, flags, names) {
    const is_pattern = (name: string) => /[*?[]/.test(name);
    if (flags.sharded && flags.streams) throw wrong("--sharded and --streams", "both set", "one of them");
    if (flags.from !== "$" && !flags.streams) throw wrong("--from", "no --streams beside it", "both");
    if (!/^(\$|0|\d{1,20}(-\d{1,20})?)$/.test(flags.from)) {
      throw wrong("--from", flags.from, "$, 0 or a stream id");
    }
    if ((flags.sharded || flags.streams) && (names.length === 0 || names.some(is_pattern))) {
      throw wrong(
        "CHANNEL",
        names.join(" ") || "none",
        `names without * with ${flags.streams ? "--streams" : "--sharded"}`,
      );
    }
    const { readRedisAddress, redisAddressOf } = await import("../../lib/config/redis_address.ts");
    const address = await readRedisAddress(
      redisAddressOf({
        ...redisSettingsOf(flags),
        password: world.env.REDISCLI_AUTH || undefined,
        tls: flags["tls-ca"] === undefined ? undefined : { ca_file: flags["tls-ca"] },
      }),
      world.cwd,
    );
    const tail = new LineTail(world, flags);
    if (flags.streams) await tailStreams(world, tail, address, names, flags.from);
    else {
      const wanted = names.length > 0 ? names : DEFAULT_PATTERNS;
      await tailChannels(world, tail, address, {
        channels: wanted.filter((name) => !is_pattern(name)),
        patterns: wanted.filter(is_pattern),
        sharded: flags.sharded,
      });
    }
    return await tail.end();
  },
});

async function tailChannels(
  world: World,
  tail: LineTail,
  address: RedisAddress,
  wanted: { channels: string[]; patterns: string[]; sharded: boolean },
): Promise<void> {
  const { RedisSubscriber } = await import("../../lib/wire/redis/redis_subscriber.ts");
  const subscriber = new RedisSubscriber(address, context(world), {
    ...wanted,
    onMessage: (channel, payload) => tail.push({ channel }, payload),
    onSubscribed: () => world.stderr("subscribed\n"),
    onInterrupted: (_channels, reason) => world.stderr(`interrupted: ${reason}; messages may be lost\n`),
  });
  try {
    await connected(world, tail, subscriber);
    await aborted(tail.signal);
  } finally {
    await subscriber.close();
  }
}

async function tailStreams(
  world: World,
  tail: LineTail,
  address: RedisAddress,
  names: readonly string[],
  from: string,
): Promise<void> {
  const [{ openRedis }, { StreamReader }] = await Promise.all([
    import("../../lib/wire/redis/open_redis.ts"),
    import("../../lib/wire/redis/stream_reader.ts"),
  ]);
  const link = openRedis(address, { ...context(world), onReady: () => {} });
  try {
    await connected(world, tail, link);
    const reader = new StreamReader(link, {
      clock: world.clock,
      is_cluster: address.topology === "cluster",
      block_ms: BLOCK_MS,
      poll_ms: POLL_MS,
      max_entries: MAX_ENTRIES,
      onError: (error) => world.stderr(`streams not read: ${link.reason(error)}\n`),
      onTrimmed: (stream, reached) =>
        world.stderr(`${stream}: entries after ${reached} may be lost, trimmed\n`),
    });
    for (const name of names) reader.add(name, from);
    for await (const entries of reader.entries(tail.signal)) {
      for (const { stream, id, payload } of entries) tail.push({ stream, id }, payload ?? "");
      await tail.drained();
    }
  } finally {
    await link.close();
  }
}

function context(world: World) {
  return { name: "tail", clock: world.clock, log: world.log, seed: crypto.randomUUID() };
}

/** @throws UserError when there is no connection in time */
async function connected(
  world: World,
  tail: LineTail,
  link: { notReady(): string | undefined },
): Promise<void> {
  const late_ms = world.clock.monotonic_ms() + CONNECT_LIMIT_MS;
  for (let why = link.notReady(); why !== undefined && !tail.signal.aborted; why = link.notReady()) {
    if (world.clock.monotonic_ms() > late_ms) throw new UserError(`tail redis: ${why}`);
    await sleep(world.clock, LOOK_MS, tail.signal);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function wrong(what: string, now: string, want: string): UserError {
  return new UserError(`read ${what}: ${now}, want ${want}`, { code: 2 });
}
