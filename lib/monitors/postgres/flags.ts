/** The flags of `mdg monitor postgres`; read before a command is chosen. */
export const POSTGRES_FLAGS = {
  url: {
    type: "text",
    value: "URL",
    default: "postgres://postgres@127.0.0.1:5432/postgres",
    doc: "postgres://USER@HOST:PORT/DATABASE, with ?sslmode=require or verify-full for TLS",
  },
  "password-file": {
    type: "text",
    value: "FILE",
    doc: "the password; or the variable PGPASSWORD, or ~/.pgpass",
  },
  "ask-password": { type: "boolean", doc: "ask for the password without echo, where none is set otherwise" },
  "tls-ca": { type: "text", value: "FILE", doc: "authorities to trust with sslmode=verify-full, PEM" },
} as const;
