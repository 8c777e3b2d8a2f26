/**
 * sox, which measures sound: whether a WAV file is silent, how long it is. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const sox: ServiceKind = {
  name: "sox",
  env: "MDG_TEST_SOX",
  program: "sox",
  debian_package: "sox",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
