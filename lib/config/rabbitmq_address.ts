/** The settings that say where a RabbitMQ stream broker is, for whatever talks to one. Spread into a strict object. */
import { z } from "zod";
import { isBrokerUrl } from "../wire/rabbitmq_stream/broker.ts";
import { markSecret, secret } from "./secret.ts";

const milliseconds = (otherwise: number, min: number) => z.int().min(min).max(3_600_000).default(otherwise);
const brokerUrl = () =>
  z.string().refine(
    isBrokerUrl,
    "must be rabbitmq-stream://[user[:password]@]host[:port][/vhost], or rabbitmq-stream+tls:// for TLS",
  );

/** As the broker takes them; in UTF-8 at most 255 bytes, and no character that a shell or URL would mind. */
export const streamName = (otherwise: string) => z.string().regex(/^[\w.:~-]{1,200}$/).default(otherwise);

export const RABBITMQ_ADDRESS = {
  url: brokerUrl().describe(
    "Where the broker's stream port is: rabbitmq-stream://127.0.0.1:5552/vhost, user guest",
  ),
  other_urls: z.array(brokerUrl()).max(16).default([])
    .describe("More nodes of the cluster, tried in turn; user, password and vhost are those of url"),
  password: secret("Password, when it is not in the URL; it wins over the one there").optional(),
  mechanism: z.enum(["PLAIN", "EXTERNAL"]).default("PLAIN")
    .describe("PLAIN: user and password; EXTERNAL: the client certificate"),
  tls: z.strictObject({
    ca_file: z.string().min(1).optional().describe("PEM of the authority, beside the well-known ones"),
    cert_file: z.string().min(1).optional().describe("PEM of the client certificate"),
    key_file: markSecret(z.string().min(1), "PEM of its private key").optional(),
  }).prefault({}).describe("Files for rabbitmq-stream+tls://; read again at every connection"),
  heartbeat_s: z.int().min(1).max(600).default(20).describe("A broker silent for 2.5 times this is given up"),
  connect_timeout_ms: milliseconds(5_000, 100).describe("Deadline of one connection attempt"),
  request_timeout_ms: milliseconds(5_000, 100).describe("Deadline of each request to the broker"),
};
