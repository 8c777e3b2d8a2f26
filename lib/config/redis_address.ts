/**
 * The settings that say where a Redis is, for whatever talks to one (sink, source, tail, monitor). Spread into a strict
 * object and refined by `checkRedisAddress`. Passwords are secrets and may stay out of the URL.
 */
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { secret } from "./secret.ts";

const milliseconds = (otherwise: number, min: number) => z.int().min(min).max(3_600_000).default(otherwise);

/** "redis" or "rediss", host, optional port, user, password, database number. */
function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  try {
    decodeURIComponent(username + password);
  } catch {
    return false;
  }
  return (protocol === "redis:" || protocol === "rediss:") && hostname !== "" && /^\/?\d*$/.test(pathname);
}
const isHostPort = (text: string) => /^(\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}$/.test(text);
const file = (what: string) => z.string().min(1).optional().describe(`${what}, PEM file`);

export const REDIS_ADDRESS = {
  url: z.string().refine(isRedisUrl, "must be redis://[user:password@]host[:port][/db], or rediss:// for TLS")
    .describe(
      "Where Redis is: redis://127.0.0.1:6379, or rediss:// for TLS; a Sentinel or a node of a Cluster",
    ),
  topology: z.enum(["single", "sentinel", "cluster"]).default("single")
    .describe(
      "What the URL leads to: the server itself, a Sentinel that names the master, a node of a Cluster",
    ),
  nodes: z.array(z.string().refine(isHostPort, "must be host:port")).max(64).default([])
    .describe("Further Sentinels or Cluster nodes to start from, host:port"),
  master_name: z.string().min(1).default("mymaster").describe("What the Sentinels call the master"),
  username: z.string().min(1).optional().describe("ACL user, when it is not in the URL"),
  password: secret("Password, when it is not in the URL; it wins over the one there").optional(),
  sentinel_username: z.string().min(1).optional().describe("ACL user at the Sentinels"),
  sentinel_password: secret("Password at the Sentinels").optional(),
  tls: z.strictObject({
    ca_file: file("Certificates of the authorities to trust instead of the host's"),
    cert_file: file("Our certificate, where the server asks for one"),
    key_file: file("Its private key"),
    server_name: z.string().min(1).optional().describe("Name in the server's certificate, if not the host's"),
  }).optional().describe("Details of TLS; rediss:// turns it on"),
  connect_timeout_ms: milliseconds(5_000, 100).describe("Deadline of one connection attempt"),
  command_timeout_ms: milliseconds(5_000, 100)
    .describe("Without an answer for so long the connection is given up and made anew"),
};

type RedisAddressConfig = z.output<z.ZodObject<typeof REDIS_ADDRESS>>;

/** Adds an issue for settings that contradict each other: `schema.superRefine(checkRedisAddress)`. */
export function checkRedisAddress(config: RedisAddressConfig, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (!isRedisUrl(config.url)) return;
  const { protocol, pathname } = new URL(config.url);
  if (config.topology === "cluster" && !/^\/?0*$/.test(pathname)) {
    refuse("url", `must not name a database: ${quoted(pathname.slice(1))}, a Cluster has only 0`);
  }
  if (config.topology === "single" && config.nodes.length > 0) {
    refuse("nodes", 'must be empty with topology "single", want "sentinel" or "cluster"');
  }
  if (config.tls && protocol !== "rediss:") refuse("tls", "must not be set with redis://, want rediss://");
  if ((config.tls?.cert_file === undefined) !== (config.tls?.key_file === undefined)) {
    refuse("tls", "must have cert_file and key_file together");
  }
}

/** The same with the TLS files read. @throws UserError (exit 2) for one that can't be */
export async function readRedisAddress<Config extends RedisAddressConfig>(config: Config, cwd = Deno.cwd()) {
  const read = async (path: string | undefined) => {
    if (path === undefined) return undefined;
    try {
      return await Deno.readTextFile(isAbsolute(path) ? path : join(cwd, path));
    } catch (error) {
      throw new UserError(`read TLS file ${quoted(path)}: ${reasonOf(error)}`, { code: 2, cause: error });
    }
  };
  const { ca_file, cert_file, key_file, server_name } = config.tls ?? {};
  const [ca, cert, key] = await Promise.all([read(ca_file), read(cert_file), read(key_file)]);
  return { ...config, tls: config.tls && { ca, cert, key, server_name } };
}

/** The settings of a Redis given otherwise than by a config. @throws UserError (exit 2) that names what is wrong */
export function redisAddressOf(settings: Record<string, unknown>): RedisAddressConfig {
  const { data, error } = z.strictObject(REDIS_ADDRESS).superRefine(checkRedisAddress).safeParse(settings);
  if (data) return data;
  const what = error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
  throw new UserError(`use redis: ${what}`, { code: 2 });
}
