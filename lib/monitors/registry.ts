/**
 * Every monitor under the word that users type. One line per monitor.
 */
export { postgres } from "./postgres.ts";
export { redis } from "./redis.ts";
