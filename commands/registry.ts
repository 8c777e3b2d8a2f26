/**
 * The table of contents: every command under the word that users type. One line per command.
 */
export { completions } from "./completions.ts";
export { config } from "./config.ts";
export { j5Format as "j5-format" } from "./j5_format.ts";
export { mock } from "./mock.ts";
export { run } from "./run.ts";
export { simulate } from "./simulate.ts";
export { verify } from "./verify.ts";
export { version } from "./version.ts";
