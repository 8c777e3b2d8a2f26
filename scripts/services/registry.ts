/**
 * Everything from outside that tests may use. One line per service or program.
 */
export { age } from "./age.ts";
export { chromium } from "./chromium.ts";
export { node } from "./node.ts";
export { openssl } from "./openssl.ts";
export { promtool } from "./promtool.ts";
export { python } from "./python.ts";
export { python_yaml } from "./python_yaml.ts";
export { redis } from "./redis.ts";
export { strace } from "./strace.ts";
export { unzip } from "./unzip.ts";
