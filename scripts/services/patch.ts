/**
 * The `patch` program, which reads the diffs that we print. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const patch: ServiceKind = {
  name: "patch",
  env: "MDG_TEST_PATCH",
  program: "patch",
  debian_package: "patch",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
