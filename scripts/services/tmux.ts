/** tmux, a terminal without a window: what a person would see can be read. A program: its address is its path. */
import type { ServiceKind } from "./service.ts";

export const tmux: ServiceKind = {
  name: "tmux",
  env: "MDG_TEST_TMUX",
  program: "tmux",
  debian_package: "tmux",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
