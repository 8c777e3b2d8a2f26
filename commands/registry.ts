/**
 * The table of contents: every command under the word that users type. One line per command.
 */
export { audioTest as "audio-test" } from "./audio_test.ts";
export { completions } from "./completions.ts";
export { config } from "./config.ts";
export { decrypt } from "./decrypt.ts";
export { dirToYaml as "dir-to-yaml" } from "./dir_to_yaml.ts";
export { edit } from "./edit.ts";
export { encrypt } from "./encrypt.ts";
export { health } from "./health.ts";
export { j5Format as "j5-format" } from "./j5_format.ts";
export { j5ToJson as "j5-to-json" } from "./j5_to_json.ts";
export { j5ToYaml as "j5-to-yaml" } from "./j5_to_yaml.ts";
export { jsPaths as "js-paths" } from "./js_paths.ts";
export { keygen } from "./keygen.ts";
export { log } from "./log.ts";
export { marketStatus as "market-status" } from "./market_status.ts";
export { mock } from "./mock.ts";
export { redis2ws } from "./redis2ws.ts";
export { monitor } from "./monitor.ts";
export { record } from "./record.ts";
export { rekey } from "./rekey.ts";
export { replay } from "./replay.ts";
export { run } from "./run.ts";
export { shm } from "./shm.ts";
export { simulate } from "./simulate.ts";
export { speak } from "./speak.ts";
export { supervise } from "./supervise.ts";
export { tail } from "./tail.ts";
export { sql } from "./sql.ts";
export { tenant } from "./tenant.ts";
export { verify } from "./verify.ts";
export { version } from "./version.ts";
export { yamlToDir as "yaml-to-dir" } from "./yaml_to_dir.ts";
export { yamlToJ5 as "yaml-to-j5" } from "./yaml_to_j5.ts";
export { zip } from "./zip.ts";
