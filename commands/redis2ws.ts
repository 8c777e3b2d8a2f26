/**
 * `mdg redis2ws`: what another mdg (or the old service) publishes to Redis, to WebSocket clients, as a program of its
 * own. The same as a config with the source `redis` and a WebSocket server.
 */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";

/** What mdg publishes by default. */
const PATTERNS = ["orderbook:*", "trades:*"];

export const redis2ws = defineCommand({
  summary: "Serve what is published to Redis to WebSocket clients",
  description:
    "Books and trades of Redis pub/sub (plain, sharded, of a Cluster) or streams, to clients of the restream protocol: " +
    "snapshots, deltas, slow readers kept apart. Without --pattern and --symbols: orderbook:* and trades:*. Sharded " +
    "channels and streams have no patterns: name --symbols, or let the publisher use partitions (--book " +
    "'orderbook:{shard}'). The password comes from a file, from MDG_REDIS_PASSWORD, or is asked for; never from the " +
    "URL on the command line.",
  flags: {
    redis: {
      type: "text",
      value: "URL",
      default: "redis://127.0.0.1:6379",
      doc: "the server, a Sentinel or a Cluster node; rediss:// for TLS",
    },
    "redis-password-file": {
      type: "text",
      value: "FILE",
      doc: "password of --redis; or the variable MDG_REDIS_PASSWORD",
    },
    "ask-passwords": {
      type: "boolean",
      doc: "ask for the password without echo, where none is set otherwise",
    },
    user: { type: "text", value: "NAME", doc: "ACL user at Redis" },
    "redis-ca": { type: "text", value: "FILE", doc: "authorities to trust for rediss://, PEM" },
    topology: {
      type: "text",
      value: "NAME",
      choices: ["single", "sentinel", "cluster"],
      default: "single",
      doc: "what the URL leads to",
    },
    node: { type: "list", value: "HOST:PORT", doc: "further Sentinels or Cluster nodes" },
    "master-name": {
      type: "text",
      value: "NAME",
      doc: "what the Sentinels call the master; absent: mymaster",
    },
    read: {
      type: "text",
      value: "HOW",
      choices: ["pubsub", "sharded_pubsub", "streams"],
      default: "pubsub",
      doc: "how the publisher delivers",
    },
    pattern: { type: "list", value: "PATTERN", doc: "channels as PSUBSCRIBE takes them: 'orderbook:*'" },
    symbols: {
      type: "list",
      value: "SYMBOL",
      doc: "these instruments, by --book and --trades; patterns too",
    },
    book: { type: "text", value: "NAME", doc: "channel of books; absent: orderbook:{symbol}" },
    trades: { type: "text", value: "NAME", doc: "channel of trades; absent: trades:{symbol}" },
    "latest-key": {
      type: "text",
      value: "NAME",
      doc: "key of the latest book; absent: orderbook:latest:{symbol}",
    },
    venue: { type: "text", value: "NAME", doc: "what clients are told the data is from; absent: redis" },
    listen: { type: "text", value: "HOST:PORT", default: "127.0.0.1:8080", doc: "where clients connect" },
    "max-clients": {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      doc: "clients beyond this are refused",
    },
    "allow-origin": { type: "list", value: "ORIGIN", doc: "web pages that may connect, exact" },
    "health-listen": {
      type: "text",
      value: "HOST:PORT",
      doc: "serve /health, /ready and /metrics; absent: not at all",
    },
    "print-config": {
      type: "boolean",
      doc: "print the same as a config for mdg run, without passwords, and end",
    },
  },
  examples: [
    {
      command: "mdg redis2ws --redis redis://127.0.0.1:6379 --pattern 'orderbook:*' --listen 127.0.0.1:8080",
      doc: "all books",
    },
    {
      command: "mdg redis2ws --redis redis://10.0.0.1:7000 --topology cluster --read sharded_pubsub " +
        "--symbols '*' --book 'orderbook:{shard}' --trades 'trades:{shard}'",
      doc: "a Redis Cluster, each master's share from that master",
    },
  ],
  async run(world, flags) {
    const [{ runComposed }, { passwordOf }] = await Promise.all([
      import("./proxy/run_composed.ts"),
      import("./proxy/passwords.ts"),
    ]);
    const { redis: url, read, symbols } = flags;
    if (flags.pattern.length > 0 && read !== "pubsub") {
      throw new UserError(`read "--pattern": ${read} has no patterns, want --symbols`, {
        code: 2,
        hint:
          "all symbols: --symbols '*' with partitions, --book 'orderbook:{shard}' --trades 'trades:{shard}'",
      });
    }
    if (symbols.length === 0 && read !== "pubsub") {
      throw new UserError(`read with "--read ${read}": no symbols are named, want --symbols`, {
        code: 2,
        hint:
          "all symbols: --symbols '*' with partitions, --book 'orderbook:{shard}' --trades 'trades:{shard}'",
      });
    }
    const password = await passwordOf(world, {
      flag: "--redis",
      url,
      variable: "MDG_REDIS_PASSWORD",
      file: flags["redis-password-file"],
      ask: flags["ask-passwords"],
    });
    const patterns = flags.pattern.length === 0 && symbols.length === 0 ? PATTERNS : flags.pattern;
    const source = {
      kind: "redis",
      url,
      password,
      username: flags.user,
      tls: flags["redis-ca"] === undefined ? undefined : { ca_file: flags["redis-ca"] },
      topology: flags.topology,
      nodes: flags.node.length > 0 ? flags.node : undefined,
      master_name: flags["master-name"],
      read,
      venue: flags.venue,
      patterns: patterns.length > 0 ? patterns : undefined,
      symbols: symbols.length > 0 ? symbols : undefined,
      channels: { book: flags.book, trades: flags.trades },
      latest_key: flags["latest-key"],
    };
    const server = {
      kind: "websocket",
      listen: flags.listen,
      max_clients: flags["max-clients"],
      allowed_origins: flags["allow-origin"].length > 0 ? flags["allow-origin"] : undefined,
    };
    const health = flags["health-listen"];
    const servers = health === undefined ? [server] : [server, { kind: "health", listen: health }];
    return await runComposed(world, { sources: [source], sinks: [], servers }, flags["print-config"]);
  },
});
