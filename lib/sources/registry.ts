/** The sources, under the words that configs use. One line a source. */
export { gateway } from "./gateway.ts";
export { live } from "./live/mod.ts";
export { rabbitmq_stream } from "./rabbitmq_stream.ts";
export { redis } from "./redis.ts";
export { replay } from "./replay.ts";
export { simulator } from "./simulator.ts";
