/**
 * A voice that can be used: found among the registered programs, run within a deadline, its failures in words that say
 * what is missing and how to get it.
 */
import type { Clock } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import { ProgramMissing, runProgram } from "../../os/run_program.ts";
import { countWords } from "./words/speakable.ts";
import { VOICES } from "./engines.ts";
import type { VoiceCall, VoiceKind, VoiceSettings } from "./voices/voice.ts";

/** A voice speaks at least at half its rate; a sound system may hold it up besides. */
const SPARE_MS = 10_000;
const PROBE_DEADLINE_MS = 10_000;

export interface SpeakerWorld {
  readonly clock: Clock;
  readonly os?: typeof Deno.build.os;
  /** Other programs than the registered ones: for tests. */
  readonly voices?: readonly VoiceKind[];
  /** Only one that can write a file. */
  readonly to_file?: boolean;
}

export class Speaker {
  constructor(readonly kind: VoiceKind, readonly settings: VoiceSettings, readonly clock: Clock) {}

  /** Says a speakable text. Rejects with the reason. */
  async say(spoken: string, signal?: AbortSignal): Promise<void> {
    await this.#run(this.kind.speak(this.settings), spoken, signal);
  }
  /** The text as a WAV file's bytes. */
  async wav(spoken: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.kind.speakToFile) {
      throw new UserError(`write speech to a file: ${this.kind.name} can't, want another engine`, {
        code: 2,
      });
    }
    const path = await Deno.makeTempFile({ prefix: "mdg-speak-", suffix: ".wav" });
    try {
      await this.#run(this.kind.speakToFile(this.settings, path), spoken, signal);
      return await Deno.readFile(path);
    } finally {
      await Deno.remove(path);
    }
  }
  async #run({ args, env }: VoiceCall, spoken: string, signal: AbortSignal | undefined): Promise<void> {
    const { name, program, input, hiddenFailure } = this.kind;
    const deadline_ms = SPARE_MS + 2 * 60_000 * countWords(spoken) / this.settings.rate_words_per_minute;
    const stdin = input(spoken);
    const { code, stderr } = await runProgram({
      program,
      args,
      env,
      stdin,
      clock: this.clock,
      deadline_ms,
      signal,
    });
    const hidden = hiddenFailure?.(stderr);
    if (code === 0 && hidden === undefined) return;
    const said = (hidden ?? lastLine(stderr)).slice(0, 200);
    throw new UserError(`speak with ${name}: ${said || `it ended with code ${code}`}`, {
      hint: "mdg audio-test tells what is missing",
    });
  }
}

/** The first registered voice that is here, or the one that is asked for. @throws UserError that says how to get one */
export async function findSpeaker(
  engine: string,
  settings: VoiceSettings,
  world: SpeakerWorld,
): Promise<Speaker> {
  const { clock, os = Deno.build.os, voices = VOICES, to_file = false } = world;
  const candidates = voices.filter((kind) =>
    engine === "auto" ? kind.systems.includes(os) && (!to_file || kind.speakToFile) : kind.name === engine
  );
  for (const kind of candidates) {
    if (await isHere(kind, clock)) return new Speaker(kind, settings, clock);
  }
  const names = candidates.map(({ program }) => program).join(", ");
  throw new UserError(`find a voice: no ${names || engine} here, want one of them`, {
    hint: candidates.map(({ install }) => install).join("; or "),
  });
}

export async function isHere({ program, probe }: VoiceKind, clock: Clock): Promise<boolean> {
  try {
    const { code } = await runProgram({ program, args: probe, clock, deadline_ms: PROBE_DEADLINE_MS });
    return code === 0;
  } catch (error) {
    if (error instanceof ProgramMissing) return false;
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)!.trim();
}
