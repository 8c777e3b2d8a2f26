/** macOS: plays on the device that the system is set to. */
import type { PlayerKind } from "../player.ts";

export const afplay: PlayerKind = {
  name: "afplay",
  program: "afplay",
  order: 1,
  systems: ["darwin"],
  install: "it is part of macOS",
  play: (_device, path) => ({ args: [path] }),
};
