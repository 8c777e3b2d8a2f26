/**
 * espeak-ng, offline and on every Linux. Two of its habits are met here: a lone A is read as an article, so spelled runs
 * with an A get points; and without an audio device it ends with code 0 and only stderr tells.
 */
import { clamp, type VoiceKind, type VoiceSettings } from "./voice.ts";

function options({ voice, rate_words_per_minute, volume_percent }: VoiceSettings): string[] {
  const rate = clamp(rate_words_per_minute, 80, 450);
  return ["--stdin", "-s", String(rate), "-a", String(clamp(volume_percent, 0, 200)), "-v", voice ?? "en-us"];
}

export const espeakNg: VoiceKind = {
  name: "espeak-ng",
  program: "espeak-ng",
  order: 2,
  systems: ["linux", "darwin", "windows", "freebsd", "netbsd"],
  install: "install espeak-ng (Debian: apt install espeak-ng, macOS: brew install espeak-ng)",
  probe: ["--version"],
  speak: (settings) => ({ args: options(settings) }),
  speakToFile: (settings, path) => ({ args: [...options(settings), "-w", path] }),
  input: (spoken) =>
    spoken.replace(
      /(?<!\S)(?:[A-Z] )+[A-Z](?![^\s.,;:!?])/g,
      (run) => run.includes("A") ? `${run.replaceAll(" ", ".")}.` : run,
    ) + "\n",
  hiddenFailure(stderr) {
    const found = /^error: (.*)/im.exec(stderr);
    return found ? `its sound goes nowhere, there may be no audio device (${found[1]})` : undefined;
  },
};
