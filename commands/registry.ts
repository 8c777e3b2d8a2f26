/**
 * The table of contents: every command under the word that users type. One line per command.
 */
export { completions } from "./completions.ts";
export { config } from "./config.ts";
export { decrypt } from "./decrypt.ts";
export { encrypt } from "./encrypt.ts";
export { keygen } from "./keygen.ts";
export { mock } from "./mock.ts";
export { rekey } from "./rekey.ts";
export { run } from "./run.ts";
export { simulate } from "./simulate.ts";
export { verify } from "./verify.ts";
export { version } from "./version.ts";
