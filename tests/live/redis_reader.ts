/** The source `redis` with a gateway's middle behind it, and what its publisher has under the keys of latest books. */
import type { Redis } from "ioredis";
import type { z } from "zod";
import { redis } from "../../lib/sources/registry.ts";
import { type SinkRig, VENUE } from "../contracts/sink_rig.ts";
import { SourceReader } from "./source_reader.ts";

export class RedisReader extends SourceReader {
  constructor(config: z.input<typeof redis.schema>) {
    super((context) => redis.create(redis.schema.parse({ venue: VENUE, ...config }), context));
  }
}

/** Every latest book is the rig's newest. */
export async function latestWritten(client: Redis, rig: SinkRig): Promise<boolean> {
  const texts = await Promise.all(
    [...rig.books.keys()].map((symbol) => client.get(`orderbook:latest:${symbol}`)),
  );
  return [...rig.books.values()].every(({ sequence }, i) =>
    texts[i] !== null && JSON.parse(texts[i]).last_update_id === sequence
  );
}
