/**
 * strace, which sees every byte that a process hands to the system. A program: its address is its path. Installed is not
 * enough, because containers may forbid tracing.
 */
import type { ServiceKind } from "./service.ts";

export const strace: ServiceKind = {
  name: "strace",
  env: "MDG_TEST_STRACE",
  program: "strace",
  debian_package: "strace",
  existing: () => Promise.resolve(undefined),
  async start(program) {
    const { success } = await new Deno.Command(program, {
      args: ["-qq", "-o", "/dev/null", "true"],
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error("tracing is not allowed here");
    return { address: program, stop: () => Promise.resolve() };
  },
};
