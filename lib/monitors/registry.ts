/**
 * Every monitor under the word that users type. One line per monitor.
 */
export { redis } from "./redis.ts";
