/** The flags of `mdg monitor redis`; read before a command is chosen. */
export const REDIS_FLAGS = {
  url: {
    type: "text",
    value: "URL",
    default: "redis://127.0.0.1:6379",
    doc: "the server, a Sentinel or a Cluster node; rediss:// for TLS",
  },
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
  "sentinel-user": { type: "text", value: "NAME", doc: "ACL user at the Sentinels" },
  "password-file": { type: "text", value: "FILE", doc: "the password; or the variable REDISCLI_AUTH" },
  "ask-password": { type: "boolean", doc: "ask for the password without echo, where none is set otherwise" },
  "tls-ca": { type: "text", value: "FILE", doc: "authorities to trust, PEM" },
  "tls-cert": { type: "text", value: "FILE", doc: "our certificate, where the server asks for one, PEM" },
  "tls-key": { type: "text", value: "FILE", doc: "its private key, PEM" },
  "ping-interval": {
    type: "number",
    value: "MS",
    default: 10,
    min: 1,
    max: 10_000,
    doc: "between two pings to a node",
  },
} as const;
