/** The flags of commands that speak. */
import type { Flags, FlagValues } from "../../lib/cli/command.ts";
import { ENGINES } from "../../lib/sinks/speak/engines.ts";
import type { VoiceSettings } from "../../lib/sinks/speak/voices/voice.ts";

export const VOICE_FLAGS = {
  engine: {
    type: "text",
    value: "NAME",
    choices: ENGINES,
    default: "auto",
    doc: "which program speaks; auto: the first that is here",
  },
  voice: { type: "text", value: "NAME", doc: "a voice of that program, as it lists them" },
  rate: {
    type: "number",
    value: "WORDS",
    integer: true,
    min: 80,
    max: 450,
    default: 175,
    doc: "how fast, words a minute",
  },
  volume: {
    type: "number",
    value: "PERCENT",
    integer: true,
    min: 0,
    max: 200,
    default: 100,
    doc: "how loud, where the program can",
  },
} as const satisfies Flags;

export function settingsOf({ voice, rate, volume }: FlagValues<typeof VOICE_FLAGS>): VoiceSettings {
  return { voice, rate_words_per_minute: rate, volume_percent: volume };
}
