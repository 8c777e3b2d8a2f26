/** Windows, through PowerShell: plays on the device that the system is set to. The path goes by an environment variable. */
import type { PlayerKind } from "../player.ts";

const SCRIPT =
  "$ErrorActionPreference = 'Stop'; (New-Object Media.SoundPlayer $env:MDG_SOUND_FILE).PlaySync()";

export const soundPlayer: PlayerKind = {
  name: "SoundPlayer",
  program: "powershell",
  order: 1,
  systems: ["windows"],
  install: "it is part of Windows; PowerShell must be on the PATH",
  play: (_device, path) => ({
    args: ["-NoProfile", "-NonInteractive", "-Command", SCRIPT],
    env: { MDG_SOUND_FILE: path },
  }),
};
