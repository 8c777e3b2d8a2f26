/** `mdg tail rabbitmq`: messages of a stream or of all partitions of a super stream, as their consumers get them. */
import { UserError } from "../../lib/base/errors.ts";
import { Random } from "../../lib/base/random.ts";
import { defineCommand, type World } from "../../lib/cli/command.ts";
import { LINE_TAIL_FLAGS, LineTail } from "../../lib/cli/line_tail.ts";
import type { StreamBroker } from "../../lib/wire/rabbitmq_stream/broker.ts";
import type { Delivered } from "../../lib/wire/rabbitmq_stream/consumer.ts";
import type { StreamOffset } from "../../lib/wire/rabbitmq_stream/protocol.ts";

const CONNECT_TIMEOUT_MS = 3_000;
const decoder = new TextDecoder();

export const tailRabbitmq = defineCommand({
  summary: "Print messages of RabbitMQ streams",
  description:
    "Without STREAM: marketupdates. A super stream is read as all its partitions, in order within each. After a break " +
    "reading goes on at the next offset, so nothing is missed. The password is taken from the variable " +
    "MDG_RABBITMQ_PASSWORD.",
  arguments: [{ name: "STREAM", doc: "stream or super stream", many: true }],
  flags: {
    url: {
      type: "text",
      value: "URL",
      default: "rabbitmq-stream://127.0.0.1:5552",
      doc: "the broker's stream port, with user and vhost; rabbitmq-stream+tls:// for TLS",
    },
    "tls-ca": { type: "text", value: "FILE", doc: "authority to trust beside the well-known ones, PEM" },
    from: {
      type: "text",
      value: "OFFSET",
      default: "next",
      doc:
        "next: what comes from now on, first, last (the newest chunk), an offset, or a time such as 2026-01-31T09:30:00Z",
    },
    properties: { type: "boolean", doc: "print the application properties beside each payload" },
    ...LINE_TAIL_FLAGS,
  },
  examples: [
    { command: "mdg tail rabbitmq", doc: "what the gateway publishes from now on" },
    { command: "mdg tail rabbitmq --from first --count 10", doc: "the ten oldest messages" },
    { command: "mdg tail rabbitmq subscriptions --from first", doc: "every subscription change there is" },
  ],
  async run(world, flags, names) {
    const offset = offsetOf(flags.from);
    const { isBrokerUrl, StreamBroker } = await import("../../lib/wire/rabbitmq_stream/broker.ts");
    if (!isBrokerUrl(flags.url)) {
      throw new UserError(`read --url: want rabbitmq-stream://[user[:password]@]host[:port][/vhost]`, {
        code: 2,
      });
    }
    const broker = new StreamBroker(
      {
        url: flags.url,
        password: world.env.MDG_RABBITMQ_PASSWORD || undefined,
        tls: { ca_file: flags["tls-ca"] },
        mechanism: "PLAIN",
        heartbeat_s: 20,
        connect_timeout_ms: CONNECT_TIMEOUT_MS,
        request_timeout_ms: CONNECT_TIMEOUT_MS,
      },
      world.clock,
      "mdg tail",
    );
    const tail = new LineTail(world, flags);
    try {
      const wanted = names.length > 0 ? names : ["marketupdates"];
      const streams = (await Promise.all(wanted.map((name) => streamsOf(broker, name)))).flat();
      await Promise.all(
        streams.map((stream) => follow(world, tail, broker, stream, offset, flags.properties)),
      );
    } catch (error) {
      await tail.end().catch(() => {});
      throw new UserError(`tail rabbitmq at ${broker.address}: ${broker.reason(error)}`, { cause: error });
    }
    return await tail.end();
  },
});

/** The partitions where there are any, else the stream itself. */
async function streamsOf(broker: StreamBroker, name: string): Promise<string[]> {
  const [{ partitionsOf }, { Code, RefusedByBroker }] = await Promise.all([
    import("../../lib/wire/rabbitmq_stream/consumer.ts"),
    import("../../lib/wire/rabbitmq_stream/protocol.ts"),
  ]);
  try {
    const partitions = await partitionsOf(broker, name);
    return partitions.length > 0 ? partitions : [name];
  } catch (error) {
    if (error instanceof RefusedByBroker && error.code === Code.stream_does_not_exist) return [name];
    throw error;
  }
}

async function follow(
  world: World,
  tail: LineTail,
  broker: StreamBroker,
  stream: string,
  offset: StreamOffset,
  properties: boolean,
): Promise<void> {
  const { consume } = await import("../../lib/wire/rabbitmq_stream/consumer.ts");
  const onLost = (reason: string) => world.stderr(`interrupted: ${reason}; reading goes on where it was\n`);
  const random = new Random(crypto.randomUUID());
  for await (const batch of consume(broker, { stream, offset, signal: tail.signal, random, onLost })) {
    for (const one of batch) tail.push(headOf(one, properties), payloadOf(one));
    await tail.drained();
  }
}

function headOf({ stream, offset, timestamp_ms, message }: Delivered, with_properties: boolean) {
  // An offset is a 64-bit number; beyond 2^53 a text is the only exact form.
  const exact = Number(offset) <= Number.MAX_SAFE_INTEGER ? Number(offset) : String(offset);
  const head: Record<string, unknown> = { stream, offset: exact, timestamp_ms };
  if (!with_properties || !message) return head;
  const known = message.application_properties ?? new Map();
  const printable = (
    [key, value]: [unknown, unknown],
  ) => [key, typeof value === "object" ? String(value) : value];
  head.properties = Object.fromEntries([...known].map(printable));
  return head;
}

/** Of a message with a value instead of data: the value as text. */
function payloadOf({ message, malformed }: Delivered): string {
  if (message?.data) return decoder.decode(message.data);
  return malformed === undefined ? String(message?.value ?? "") : `malformed message: ${malformed}`;
}

function offsetOf(text: string): StreamOffset {
  if (text === "first" || text === "last" || text === "next") return { from: text };
  if (/^\d{1,19}$/.test(text)) return { from: "offset", offset: BigInt(text) };
  const timestamp_ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(timestamp_ms)) {
    throw new UserError(
      `read --from: "${text}", want next, first, last, an offset, or a time such as 2026-01-31T09:30:00Z`,
      {
        code: 2,
      },
    );
  }
  return { from: "timestamp", timestamp_ms };
}
