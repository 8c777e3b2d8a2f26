/**
 * Everything from outside that tests may use. One line per service or program.
 */
export { promtool } from "./promtool.ts";
export { redis } from "./redis.ts";
