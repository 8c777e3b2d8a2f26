/** The sinks, one line each. Adding one: write its file, add its line. */
export { questdb } from "./questdb.ts";
export { log } from "./log.ts";
export { rabbitmq_stream } from "./rabbitmq_stream.ts";
export { redis } from "./redis.ts";
export { sharedMemory as shared_memory } from "./shared_memory.ts";
export { speak } from "./speak.ts";
export { sql } from "./sql.ts";
