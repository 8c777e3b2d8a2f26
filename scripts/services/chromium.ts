/**
 * Chromium, for what only a browser can prove. A program, not a service: its address is its path.
 */
import type { ServiceKind } from "./service.ts";

export const chromium: ServiceKind = {
  name: "chromium",
  env: "MDG_TEST_CHROMIUM",
  program: "chromium",
  debian_package: "chromium",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
