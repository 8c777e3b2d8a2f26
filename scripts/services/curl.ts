/** curl, for examples in shell. A program: its address is its path. */
import type { ServiceKind } from "./service.ts";

export const curl: ServiceKind = {
  name: "curl",
  env: "MDG_TEST_CURL",
  program: "curl",
  debian_package: "curl",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
