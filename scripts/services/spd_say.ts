/**
 * spd-say, the client of Speech Dispatcher. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const spd_say: ServiceKind = {
  name: "spd_say",
  env: "MDG_TEST_SPD_SAY",
  program: "spd-say",
  debian_package: "speech-dispatcher",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
