/** The speech programs there are, in the order in which they are tried, and the words by which one is asked for. */
import type { VoiceKind } from "./voices/voice.ts";
import * as registry from "./voices/registry.ts";

export const VOICES: readonly VoiceKind[] = Object.values(registry satisfies Record<string, VoiceKind>)
  .sort((one, other) => one.order - other.order);
export const ENGINES: readonly string[] = ["auto", ...VOICES.map(({ name }) => name)];
