/**
 * Every monitor under the word that users type. One line per monitor.
 */
export { gateway } from "./gateway.ts";
export { net } from "./net.ts";
export { postgres } from "./postgres.ts";
export { redis } from "./redis.ts";
