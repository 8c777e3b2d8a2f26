/**
 * `mdg redis2ws`: what another mdg (or the old service) publishes to Redis, to WebSocket clients, as a program of its
 * own. The same as a config with the source `redis` and the server `restream`. Refuses: an open door on a network, unless
 * it is asked for in words.
 */
import { quoted, UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { REDIS_TOPOLOGY_FLAGS } from "../lib/config/redis_flags.ts";

/** Addresses that only programs of this machine reach. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]):/;
/** What mdg publishes by default. */
const PATTERNS = ["orderbook:*", "trades:*"];

export const redis2ws = defineCommand({
  summary: "Serve what is published to Redis to WebSocket clients",
  description:
    "Books and trades of Redis pub/sub (plain, sharded, of a Cluster) or streams, to clients of the restream protocol: " +
    "snapshots, deltas, slow readers kept apart; TLS and tenants. Without --pattern and --symbols: orderbook:* and trades:*. Sharded " +
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
    "redis-ca": { type: "text", value: "FILE", doc: "authorities to trust for rediss://, PEM" },
    ...REDIS_TOPOLOGY_FLAGS,
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
    "tls-cert": {
      type: "text",
      value: "FILE",
      doc: "certificate and chain for wss://, PEM; read again on change",
    },
    "tls-key": { type: "text", value: "FILE", doc: "its private key, PEM" },
    plain: {
      type: "boolean",
      doc: "ws:// without TLS beyond this machine, where something else protects it",
    },
    tenants: {
      type: "text",
      value: "FILE",
      doc: "who may connect, made by mdg tenant; absent: everybody on this machine",
    },
    open: { type: "boolean", doc: "everybody who reaches the port may connect" },
    workers: { type: "number", value: "N", integer: true, min: 0, doc: "threads for the clients' side" },
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
      import("../lib/cli/passwords.ts"),
    ]);
    const { redis: url, read, symbols } = flags;
    checkNames(read, flags.pattern, symbols);
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
      master_name: flags.topology === "sentinel" ? flags["master-name"] : undefined,
      read,
      venue: flags.venue,
      patterns: patterns.length > 0 ? patterns : undefined,
      symbols: symbols.length > 0 ? symbols : undefined,
      channels: { book: flags.book, trades: flags.trades },
      latest_key: flags["latest-key"],
    };
    const server = {
      kind: "restream",
      listen: flags.listen,
      tls: tlsOf(flags["tls-cert"], flags["tls-key"]),
      plain: flags.plain ? "anywhere" : undefined,
      access: accessOf(flags.tenants, flags.open, flags.listen),
      edge: flags.workers === undefined ? undefined : { workers: flags.workers },
      max_clients: flags["max-clients"],
      allowed_origins: flags["allow-origin"].length > 0 ? flags["allow-origin"] : undefined,
    };
    const health = flags["health-listen"];
    const servers = health === undefined ? [server] : [server, { kind: "health", listen: health }];
    return await runComposed(world, { sources: [source], sinks: [], servers }, flags["print-config"]);
  },
});

/** @throws UserError where channels can't be found that way */
function checkNames(read: string, patterns: readonly string[], symbols: readonly string[]): void {
  if (read === "pubsub" || (patterns.length === 0 && symbols.length > 0)) return;
  const what = patterns.length > 0
    ? `read "--pattern": ${read} has no patterns`
    : `read with "--read ${read}": no symbols are named`;
  throw new UserError(`${what}, want --symbols`, {
    code: 2,
    hint: "all symbols: --symbols '*' with partitions, --book 'orderbook:{shard}' --trades 'trades:{shard}'",
  });
}

function tlsOf(cert_file: string | undefined, key_file: string | undefined) {
  if (cert_file === undefined && key_file === undefined) return undefined;
  if (cert_file !== undefined && key_file !== undefined) return { cert_file, key_file };
  throw new UserError("use TLS: one file is named, want --tls-cert and --tls-key", { code: 2 });
}

/** @throws UserError where nobody said that everybody may come in */
function accessOf(tenants_file: string | undefined, is_open: boolean, listen: string) {
  if (tenants_file !== undefined && is_open) {
    throw new UserError("let clients in: --tenants and --open, want one of them", { code: 2 });
  }
  if (tenants_file !== undefined) return { tenants_file };
  if (is_open || LOOPBACK.test(listen)) return "open";
  throw new UserError(`listen on ${quoted(listen)}: everybody could connect, want --tenants FILE`, {
    code: 2,
    hint: "where everybody who reaches the port may, say --open",
  });
}
