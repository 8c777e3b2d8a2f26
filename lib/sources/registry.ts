/** The sources, under the words that configs use. One line a source. */
export { live } from "./live/mod.ts";
export { redis } from "./redis.ts";
export { simulator } from "./simulator.ts";
