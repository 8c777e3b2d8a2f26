/** The sinks, one line each. Adding one: write its file, add its line. */
export { redis } from "./redis.ts";
export { sql } from "./sql.ts";
