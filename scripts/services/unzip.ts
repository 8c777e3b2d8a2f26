/**
 * Info-ZIP's `unzip`, a reader of archives that shares no code with ours. A program: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const unzip: ServiceKind = {
  name: "unzip",
  env: "MDG_TEST_UNZIP",
  program: "unzip",
  debian_package: "unzip",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
