/**
 * A C compiler, for readers that share no code and no engine with the writer. A program: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const c_compiler: ServiceKind = {
  name: "c_compiler",
  env: "MDG_TEST_CC",
  program: "gcc",
  debian_package: "build-essential",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
