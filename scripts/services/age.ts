/**
 * The `age` program, the reference for the format of encrypted values. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const age: ServiceKind = {
  name: "age",
  env: "MDG_TEST_AGE",
  program: "age",
  debian_package: "age",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
