/**
 * openssl, to make certificates for tests, so that no key lies in the repository. A program: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const openssl: ServiceKind = {
  name: "openssl",
  env: "MDG_TEST_OPENSSL",
  program: "openssl",
  debian_package: "openssl",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
