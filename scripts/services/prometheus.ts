/**
 * prometheus, to ask our alerts and dashboards of real scrapes. A program: its address is its path; a test starts it on
 * a config of its own.
 */
import type { ServiceKind } from "./service.ts";

export const prometheus: ServiceKind = {
  name: "prometheus",
  env: "MDG_TEST_PROMETHEUS",
  program: "prometheus",
  debian_package: "prometheus",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
