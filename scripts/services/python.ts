/**
 * A Python with its standard library, for readers that share no code with ours. A program: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const python: ServiceKind = {
  name: "python",
  env: "MDG_TEST_PYTHON",
  program: "python3",
  debian_package: "python3",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
