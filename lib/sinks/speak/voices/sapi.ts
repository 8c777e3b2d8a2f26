/**
 * Windows' speech through PowerShell. The script is a constant; what varies goes by environment variables, and the text by
 * stdin, so nothing from outside is ever read as code.
 */
import { clamp, type VoiceCall, type VoiceKind, type VoiceSettings } from "./voice.ts";

const SCRIPT = [
  "$ErrorActionPreference = 'Stop'",
  "[Console]::InputEncoding = [Text.UTF8Encoding]::new($false)",
  "Add-Type -AssemblyName System.Speech",
  "$s = New-Object System.Speech.Synthesis.SpeechSynthesizer",
  "if ($env:MDG_SPEAK_VOICE) { $s.SelectVoice($env:MDG_SPEAK_VOICE) }",
  "$s.Rate = [int]$env:MDG_SPEAK_RATE",
  "$s.Volume = [int]$env:MDG_SPEAK_VOLUME",
  "if ($env:MDG_SPEAK_FILE) { $s.SetOutputToWaveFile($env:MDG_SPEAK_FILE) }",
  "$s.Speak([Console]::In.ReadToEnd())",
  "$s.Dispose()",
].join("; ");
const SHELL = ["-NoProfile", "-NonInteractive", "-Command"];

function call({ voice, rate_words_per_minute, volume_percent }: VoiceSettings, path = ""): VoiceCall {
  return {
    args: [...SHELL, SCRIPT],
    env: {
      MDG_SPEAK_VOICE: voice ?? "",
      MDG_SPEAK_RATE: String(clamp((rate_words_per_minute - 175) / 20, -10, 10)),
      MDG_SPEAK_VOLUME: String(clamp(volume_percent, 0, 100)),
      MDG_SPEAK_FILE: path,
    },
  };
}

export const sapi: VoiceKind = {
  name: "sapi",
  program: "powershell",
  order: 1,
  systems: ["windows"],
  install: "it is part of Windows; PowerShell must be on the PATH",
  probe: [...SHELL, "Add-Type -AssemblyName System.Speech"],
  speak: (settings) => call(settings),
  speakToFile: (settings, path) => call(settings, path),
  input: (spoken) => spoken,
};
