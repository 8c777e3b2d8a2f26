/** ALSA, which every Linux with a sound card has. */
import type { PlayerKind } from "../player.ts";

/** "card 0: PCH [HDA Intel PCH], device 3: HDMI 0 [HDMI 0]" */
const CARD = /^card (\d+): \S+ \[(.*?)\], device (\d+): .*?\[(.*?)\]$/gm;

export const aplay: PlayerKind = {
  name: "aplay",
  program: "aplay",
  order: 2,
  systems: ["linux"],
  install: "install alsa-utils (Debian: apt install alsa-utils)",
  listing: {
    program: "aplay",
    args: ["-l"],
    read: (stdout) =>
      [...stdout.matchAll(CARD)].map(([, card, card_name, device, device_name]) => ({
        name: `plughw:${card},${device}`,
        description: `${card_name}, ${device_name}`,
      })),
  },
  play: (device, path) => ({ args: ["-q", "-D", device, path] }),
};
