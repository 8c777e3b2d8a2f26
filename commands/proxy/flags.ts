/** The flags that every stand-alone proxy has: where events come from, and what is told about it. */
export const PROXY_FLAGS = {
  from: {
    type: "text",
    value: "URL",
    required: true,
    doc: "redis://HOST (rediss:// for TLS), or ws://HOST:PORT of another mdg",
  },
  symbols: {
    type: "list",
    value: "SYMBOL",
    doc: "which instruments; needed with redis://, all of them with ws:// when absent",
  },
  venue: {
    type: "text",
    value: "NAME",
    doc: 'what the events are said to come from; absent: "redis", or the venues that the other mdg has',
  },
  "from-password-file": {
    type: "text",
    value: "FILE",
    doc: "password of --from, with wss:// the token; or the variable MDG_FROM_PASSWORD",
  },
  "from-ca": { type: "text", value: "FILE", doc: "authorities to trust at --from, PEM" },
  "ask-passwords": { type: "boolean", doc: "ask for passwords without echo, where none is set otherwise" },
  "health-listen": {
    type: "text",
    value: "HOST:PORT",
    doc: "serve /health, /ready and /metrics; absent: not at all",
  },
  "print-config": {
    type: "boolean",
    doc: "print the same as a config for mdg run, without passwords, and end",
  },
} as const;
