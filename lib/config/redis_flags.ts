/** The flags by which a command is told where a Redis is; read before a command is chosen, so no package is loaded here. */
/** What a URL leads to. */
export const REDIS_TOPOLOGY_FLAGS = {
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
    default: "mymaster",
    doc: "what the Sentinels call the master",
  },
  user: { type: "text", value: "NAME", doc: "ACL user" },
} as const;

export const REDIS_ADDRESS_FLAGS = {
  url: {
    type: "text",
    value: "URL",
    default: "redis://127.0.0.1:6379",
    doc: "the server, a Sentinel or a Cluster node; rediss:// for TLS",
  },
  ...REDIS_TOPOLOGY_FLAGS,
  "tls-ca": { type: "text", value: "FILE", doc: "authorities to trust, PEM" },
} as const;

interface GivenFlags {
  url: string;
  topology: string;
  node: readonly string[];
  "master-name": string;
  user: string | undefined;
}

/** Their values as settings for `redisAddressOf`; TLS and passwords are the command's. */
export function redisSettingsOf(flags: GivenFlags): Record<string, unknown> {
  const { url, topology, node: nodes, user: username } = flags;
  return { url, topology, nodes, master_name: flags["master-name"], username };
}
