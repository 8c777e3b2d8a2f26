/**
 * Speech Dispatcher's client: speaks with whatever voice the desktop is set to. In its pipe mode a line that begins with
 * "!-!" is a command to the dispatcher; a speakable text has no "!" at the start, and it is one line.
 */
import { clamp, type VoiceKind } from "./voice.ts";

export const spdSay: VoiceKind = {
  name: "spd-say",
  program: "spd-say",
  order: 3,
  systems: ["linux", "freebsd", "netbsd"],
  install: "install speech-dispatcher (Debian: apt install speech-dispatcher speech-dispatcher-espeak-ng)",
  probe: ["--version"],
  speak: ({ voice, rate_words_per_minute, volume_percent }) => ({
    args: [
      ...["--pipe-mode", "--wait", "--priority", "important", "--language", "en"],
      ...["--rate", String(clamp((rate_words_per_minute - 175) / 2, -100, 100))],
      ...["--volume", String(clamp(volume_percent * 2 - 100, -100, 100))],
      ...voice === undefined ? [] : ["--synthesis-voice", voice],
    ],
  }),
  input: (spoken) => `${spoken.replace(/^[^\p{L}\p{N}]+/u, "")}\n`,
};
