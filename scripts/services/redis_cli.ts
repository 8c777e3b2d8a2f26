/** Redis' own command line, for examples in shell. A program: its address is its path. */
import type { ServiceKind } from "./service.ts";

export const redis_cli: ServiceKind = {
  name: "redis_cli",
  env: "MDG_TEST_REDIS_CLI",
  program: "redis-cli",
  debian_package: "redis-tools",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
