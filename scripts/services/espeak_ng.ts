/**
 * espeak-ng, which turns text into speech without a network. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const espeak_ng: ServiceKind = {
  name: "espeak_ng",
  env: "MDG_TEST_ESPEAK_NG",
  program: "espeak-ng",
  debian_package: "espeak-ng",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
