/**
 * RabbitMQ with streams: the one whose stream port 5552 answers, else a private node.
 */
import { answers, RabbitmqNode } from "./rabbitmq_node.ts";
import type { ServiceKind } from "./service.ts";

export const rabbitmq: ServiceKind = {
  name: "rabbitmq",
  env: "MDG_TEST_RABBITMQ_URL",
  program: "rabbitmq-server",
  extra_folders: ["/usr/sbin"],
  debian_package: "rabbitmq-server",
  async existing() {
    return await answers(5552) ? "rabbitmq-stream://127.0.0.1:5552" : undefined;
  },
  async start(_program, clock) {
    const node = await RabbitmqNode.start(clock);
    return { address: node.url, stop: () => node[Symbol.asyncDispose]() };
  },
};
