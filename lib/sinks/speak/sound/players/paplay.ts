/** PulseAudio, or PipeWire in its place: the devices that a desktop's user knows. */
import type { PlayerKind } from "../player.ts";

export const paplay: PlayerKind = {
  name: "paplay",
  program: "paplay",
  order: 1,
  systems: ["linux", "freebsd"],
  install: "install pulseaudio-utils (Debian: apt install pulseaudio-utils)",
  listing: {
    program: "pactl",
    args: ["list", "short", "sinks"],
    read: (stdout) =>
      stdout.split("\n").map((line) => line.split("\t")).filter((fields) => fields.length >= 4).map((
        fields,
      ) => ({
        name: fields[1],
        description: `${fields[3]}${fields[4] ? `, ${fields[4].toLowerCase()}` : ""}`,
      })),
  },
  play: (device, path) => ({ args: [`--device=${device}`, path] }),
};
