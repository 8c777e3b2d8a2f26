/** jq, for examples in shell. A program: its address is its path. */
import type { ServiceKind } from "./service.ts";

export const jq: ServiceKind = {
  name: "jq",
  env: "MDG_TEST_JQ",
  program: "jq",
  debian_package: "jq",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
