/**
 * The words a speech program is described in. What is to be said goes to its stdin and nowhere else: not into arguments,
 * which others see and which programs read as options, and not through a shell.
 */
export interface VoiceSettings {
  /** As the program calls it; absent: its own choice. */
  readonly voice?: string;
  /** How fast it speaks. */
  readonly rate_words_per_minute: number;
  /** 0 … 100. */
  readonly volume_percent: number;
}

export interface VoiceCall {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface VoiceKind {
  readonly name: string;
  readonly program: string;
  /** Tried in this order: what belongs to the system before what was installed. */
  readonly order: number;
  readonly systems: readonly (typeof Deno.build.os)[];
  /** How to get it, as an imperative. */
  readonly install: string;
  /** Arguments with which it ends at once, without a sound. */
  readonly probe: readonly string[];
  speak(settings: VoiceSettings): VoiceCall;
  /** To a file instead of a device; absent where it can't. */
  speakToFile?(settings: VoiceSettings, path: string): VoiceCall;
  /** What to write to its stdin for a speakable text. */
  input(spoken: string): string;
  /** Why it failed although its exit code says otherwise. */
  hiddenFailure?(stderr: string): string | undefined;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, Math.round(value)));
}
