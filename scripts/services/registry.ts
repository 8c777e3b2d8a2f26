/**
 * Everything from outside that tests may use. One line per service or program.
 */
export { age } from "./age.ts";
export { chromium } from "./chromium.ts";
export { node } from "./node.ts";
export { promtool } from "./promtool.ts";
export { redis } from "./redis.ts";
