/**
 * Node.js, for a client that shares no code with the server. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const node: ServiceKind = {
  name: "node",
  env: "MDG_TEST_NODE",
  program: "node",
  debian_package: "nodejs",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
