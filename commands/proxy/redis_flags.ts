/** The flags that say what a Redis URL leads to, for every command that has one. */
export const REDIS_FLAGS = {
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
  user: { type: "text", value: "NAME", doc: "ACL user at Redis" },
} as const;
