/**
 * Makes sure that the stream to publish to is there: asks first, creates only what is missing and only when allowed.
 * Retention is set at creation and belongs to the broker's operator afterwards, so an existing stream is left as it is.
 */
import { reasonOf } from "../../base/errors.ts";
import { Code, Key, meaningOf, RefusedByBroker } from "../../wire/rabbitmq_stream/protocol.ts";
import type { StreamSession } from "../../wire/rabbitmq_stream/session.ts";
import { murmur3 } from "../../wire/rabbitmq_stream/murmur3.ts";

export interface StreamLayout {
  readonly stream: string;
  /** The super stream that this stream is a partition of. */
  readonly super_stream?: { readonly name: string; readonly partitions: number };
  readonly create: boolean;
  /** Arguments of the creation: "max-age", "max-length-bytes", "stream-max-segment-size-bytes". */
  readonly retention: Readonly<Record<string, string>>;
}

/** The names that brokers and clients give to the partitions of a super stream by default. */
export function partitionNames(super_stream: string, partitions: number): string[] {
  return Array.from({ length: partitions }, (_, i) => `${super_stream}-${i}`);
}

const HASH_SEED = 104_729;
const encoder = new TextEncoder();

/** The partition of a routing key, 0 … partitions − 1, as every stream client hashes it. */
export function partitionOf(routing_key: string, partitions: number): number {
  return partitions === 1 ? 0 : murmur3(encoder.encode(routing_key), HASH_SEED) % partitions;
}

/** @throws when the stream is not there and cannot be made */
export async function ensureStream(session: StreamSession, layout: StreamLayout): Promise<void> {
  const { stream } = layout;
  const name = JSON.stringify(stream);
  const code = await streamCode(session, stream);
  if (code === Code.ok) return;
  if (code !== Code.stream_does_not_exist) throw new RefusedByBroker(`look up stream ${name}`, code);
  if (!layout.create) {
    throw new Error(`publish to stream ${name}: it does not exist, want it created or "create: true"`);
  }
  if (layout.super_stream) return await createSuperStream(session, layout, layout.super_stream);
  await orExisting(
    session.request(
      `create stream ${name}`,
      Key.create,
      (frame) => frame.string(stream).map(layout.retention),
    ),
  );
}

async function streamCode(session: StreamSession, stream: string): Promise<number> {
  const answer = await session.requestPlain(
    "look up stream",
    Key.metadata,
    (frame) => frame.u32(1).string(stream),
  );
  for (let brokers = answer.u32(); brokers > 0; brokers--) {
    answer.u16();
    answer.string();
    answer.u32();
  }
  if (answer.u32() !== 1 || answer.string() !== stream) {
    throw new Error("look up stream: the broker answered for another one");
  }
  return answer.u16();
}

async function createSuperStream(
  session: StreamSession,
  { retention }: StreamLayout,
  { name, partitions }: NonNullable<StreamLayout["super_stream"]>,
): Promise<void> {
  const what = `create super stream ${JSON.stringify(name)}`;
  const names = partitionNames(name, partitions);
  try {
    await orExisting(session.request(what, Key.create_super_stream, (frame) => {
      frame.string(name).u32(partitions);
      for (const partition of names) frame.string(partition);
      frame.u32(partitions);
      for (let i = 0; i < partitions; i++) frame.string(String(i));
      frame.map(retention);
    }));
  } catch (error) {
    if (error instanceof RefusedByBroker) throw error;
    // Brokers before 3.13 do not know the command and hang up.
    throw new Error(
      `${
        reasonOf(error)
      }; brokers before 3.13 want: rabbitmq-streams add_super_stream ${name} --partitions ${partitions}`,
    );
  }
}

/** Another producer may have been faster: that is as good. */
async function orExisting(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!(error instanceof RefusedByBroker)) throw error;
    if (error.code === Code.stream_already_exists) return;
    if (error.code === Code.precondition_failed) {
      throw new RefusedByBroker(
        error.what,
        error.code,
        `${meaningOf(error.code)}: it exists with other retention, or as a queue`,
      );
    }
    throw error;
  }
}
