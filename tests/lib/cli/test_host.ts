/**
 * A host in memory for runCommandLine: collects what is printed, has no process around it.
 */
import { ManualClock } from "../../../lib/base/clock.ts";
import type { RevocablePermission } from "../../../lib/cli/command.ts";
import { Lifecycle } from "../../../lib/cli/lifecycle.ts";
import { Output, type Streams } from "../../../lib/cli/output.ts";
import type { Host } from "../../../lib/cli/run_command_line.ts";

export interface TestHost extends Host {
  readonly clock: ManualClock;
  readonly kept: RevocablePermission[];
  stdout(): string;
  stderr(): string;
}

export function testHost(argv: readonly string[], streams: Partial<Streams> = {}): TestHost {
  const decoder = new TextDecoder();
  let stdout = "";
  let stderr = "";
  const kept: RevocablePermission[] = [];
  const output = new Output({
    write_stdout(bytes) {
      stdout += decoder.decode(bytes);
      return Promise.resolve(bytes.length);
    },
    write_stderr(bytes) {
      stderr += decoder.decode(bytes);
      return bytes.length;
    },
    stdout_is_terminal: false,
    stderr_is_terminal: false,
    columns: undefined,
    ...streams,
  }, false);
  return {
    name: "mdg",
    version: "1.2.3",
    argv,
    env: {},
    cwd: "/",
    clock: new ManualClock(),
    output,
    lifecycle: new Lifecycle(),
    stdin: () => new Blob([]).stream(),
    restrict: (permissions) => void kept.push(...permissions),
    kept,
    stdout: () => stdout,
    stderr: () => stderr,
  };
}
