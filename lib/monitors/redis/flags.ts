/** The flags of `mdg monitor redis`; read before a command is chosen. */
import { REDIS_ADDRESS_FLAGS } from "../../config/redis_flags.ts";

export const REDIS_FLAGS = {
  ...REDIS_ADDRESS_FLAGS,
  "sentinel-user": { type: "text", value: "NAME", doc: "ACL user at the Sentinels" },
  "password-file": { type: "text", value: "FILE", doc: "the password; or the variable REDISCLI_AUTH" },
  "ask-password": { type: "boolean", doc: "ask for the password without echo, where none is set otherwise" },
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
