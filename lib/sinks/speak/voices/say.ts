/** macOS's own voice. It has no option for the volume: that of the system holds. */
import { clamp, type VoiceKind, type VoiceSettings } from "./voice.ts";

function options({ voice, rate_words_per_minute }: VoiceSettings): string[] {
  const rate = String(clamp(rate_words_per_minute, 80, 450));
  return ["-f", "-", "-r", rate, ...voice === undefined ? [] : ["-v", voice]];
}

export const say: VoiceKind = {
  name: "say",
  program: "say",
  order: 1,
  systems: ["darwin"],
  install: "it is part of macOS",
  probe: ["-v", "?"],
  speak: (settings) => ({ args: options(settings) }),
  speakToFile: (settings, path) => ({
    args: [...options(settings), "-o", path, "--file-format=WAVE", "--data-format=LEI16@22050"],
  }),
  input: (spoken) => `${spoken}\n`,
};
