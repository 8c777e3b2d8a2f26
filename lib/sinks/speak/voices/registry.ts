/** The speech programs, one line each. Adding one: write its file, add its line. */
export { say } from "./say.ts";
export { sapi } from "./sapi.ts";
export { espeakNg } from "./espeak_ng.ts";
export { spdSay } from "./spd_say.ts";
