/**
 * promtool, Prometheus's own checker of metric pages. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const promtool: ServiceKind = {
  name: "promtool",
  env: "MDG_TEST_PROMTOOL",
  program: "promtool",
  debian_package: "prometheus",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
