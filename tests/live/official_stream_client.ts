/**
 * The broker's official JavaScript client, as a second opinion on what we write and read. It wants RabbitMQ 3.11; for
 * older brokers its version exchange is answered here, and two answers get the bit that those brokers forget.
 */
import { type Client, connect, Offset } from "rabbitmq-stream-js-client";
import { Connection } from "rabbitmq-stream-js-client/dist/connection.js";
import type { Message } from "rabbitmq-stream-js-client/dist/publisher.js";
import { ResponseDecoder } from "rabbitmq-stream-js-client/dist/response_decoder.js";

type Method = (this: unknown, ...args: unknown[]) => unknown;
const methodsOf = (type: { prototype: unknown }) => type.prototype as Record<string, Method>;

let is_adapted = false;

/** Once per process. */
export function adapt(): void {
  if (is_adapted) return;
  is_adapted = true;
  methodsOf(Connection).exchangeCommandVersions = () => Promise.resolve();
  const decoder = methodsOf(ResponseDecoder);
  const emit = decoder.emitResponseReceived;
  decoder.emitResponseReceived = function (response) {
    const answer = response as { key: number };
    if (answer.key === 24 || answer.key === 25) answer.key |= 0x8000;
    return emit.call(this, answer);
  };
}

export async function officialClient(url: string): Promise<Client> {
  adapt();
  const { hostname, port } = new URL(url);
  return await connect({
    hostname,
    port: Number(port),
    username: "guest",
    password: "guest",
    vhost: "/",
    heartbeat: 30,
  });
}

/** The first `count` messages of a stream. */
export async function readByOfficialClient(url: string, stream: string, count: number): Promise<Message[]> {
  const client = await officialClient(url);
  const messages: Message[] = [];
  await new Promise<void>((resolve, reject) => {
    client.declareConsumer({ stream, offset: Offset.first() }, (message) => {
      messages.push(message);
      if (messages.length === count) resolve();
    }).catch(reject);
  });
  await client.close();
  return messages;
}
