/**
 * The fixture of the sink `rabbitmq_stream`: one private node for all tests of the file, streams of their own for each.
 */
import { systemClock } from "../../../lib/base/clock.ts";
import { rabbitmqMissing, RabbitmqNode } from "../../../scripts/services/rabbitmq_node.ts";
import { StreamReader } from "../../live/stream_reader.ts";
import type { SinkFixture } from "../sink_fixture.ts";

const url = "rabbitmq-stream://127.0.0.1";

let node: Promise<RabbitmqNode> | undefined;
let opened = 0;

export const fixture: SinkFixture = {
  missing: rabbitmqMissing(),
  refused: [
    {},
    { url: "amqp://127.0.0.1" },
    { url: "rabbitmq-stream://" },
    { url, partitions: -1 },
    { url, streams: { market: "with space" } },
    { url, retention: { max_age: "soon" } },
    { url, kinds: [] },
    { url, producer: "" },
    { url, confirm_timeout_ms: 1 },
  ],
  deduplicates: true,
  keeps_acknowledged: true,
  async open() {
    // Its watchman ends it with this process.
    const broker = await (node ??= RabbitmqNode.start(systemClock));
    await broker.running();
    const market = `contract-${++opened}`;
    const reader = new StreamReader(broker.url, [market]);
    return {
      config: { url: broker.url, streams: { market, subscriptions: `${market}-subscriptions` } },
      remote: { kill: () => broker.kill(), start: () => broker.start() },
      arrived: () =>
        Promise.resolve({
          trades: reader.trades(),
          books: new Map(
            reader.updates.filter((one) => one.kind === "book").map((
              one,
            ) => [one.symbol, one.last_update_id]),
          ),
        }),
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    };
  },
};
