/**
 * Whether alerts would be heard here: a tone and a voice on every device, or in a file where there is none. Each step says
 * what it found; what is missing comes with how to get it.
 */
import type { Clock } from "../../../base/clock.ts";
import { reasonOf, UserError } from "../../../base/errors.ts";
import { ProgramMissing, runProgram } from "../../../os/run_program.ts";
import { findSpeaker } from "../speaker.ts";
import type { VoiceSettings } from "../voices/voice.ts";
import { DEFAULT_DEVICE, type Device, type PlayerKind } from "./player.ts";
import * as registry from "./players/registry.ts";
import { joined, peakOf, readWav, secondsOf, type Sound, tone, writeWav } from "./wav.ts";

export const PLAYERS: readonly PlayerKind[] = Object.values(registry satisfies Record<string, PlayerKind>)
  .sort((one, other) => one.order - other.order);
const LIST_DEADLINE_MS = 5_000;
const SPARE_MS = 10_000;
const DEFAULT_RATE = 22_050;
/** Softer than this nobody hears: it counts as silent. */
const MIN_PEAK = 0.01;

export interface AudioTestOptions {
  readonly clock: Clock;
  readonly os?: typeof Deno.build.os;
  readonly signal?: AbortSignal;
  readonly engine: string;
  readonly voice: VoiceSettings;
  /** Speakable. */
  readonly text: string;
  readonly frequency_hz: number;
  readonly tone_seconds: number;
}

/** One thing that was tried. */
export interface Step {
  readonly what: "voice" | "player" | "device" | "file";
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** How to get what is missing. */
  readonly remedy?: string;
}

export interface Found {
  readonly steps: Step[];
  /** The player and its devices; absent where no player is. */
  readonly player?: PlayerKind;
  readonly devices: readonly Device[];
}

/** Tone, pause, voice; only the tone when there is no voice. */
export async function makeSound(options: AudioTestOptions): Promise<{ sound: Sound; step: Step }> {
  const { clock, os, signal, engine, voice, text, frequency_hz, tone_seconds } = options;
  const alone = tone(frequency_hz, tone_seconds, DEFAULT_RATE);
  const failed = (name: string, detail: string, remedy?: string): { sound: Sound; step: Step } => ({
    sound: alone,
    step: { what: "voice", name, ok: false, detail, remedy },
  });
  try {
    const speaker = await findSpeaker(engine, voice, { clock, os, to_file: true });
    const spoken = readWav(await speaker.wav(text, signal));
    const peak = peakOf(spoken);
    const { name } = speaker.kind;
    const measured = `${secondsOf(spoken).toFixed(2)} s, peak ${peak.toFixed(2)}`;
    if (peak < MIN_PEAK) return failed(name, `silent (${measured})`, "try another --voice");
    const { sample_rate, channels } = spoken;
    const sound = joined([tone(frequency_hz, tone_seconds, sample_rate, channels), spoken]);
    return { sound, step: { what: "voice", name, ok: true, detail: measured } };
  } catch (error) {
    if (signal?.aborted) throw error;
    return failed(engine, reasonOf(error), error instanceof UserError ? error.hint : undefined);
  }
}

/** The first player that answers, and its devices. */
export async function findDevices({ clock, os = Deno.build.os, signal }: AudioTestOptions): Promise<Found> {
  const steps: Step[] = [];
  const players = PLAYERS.filter(({ systems }) => systems.includes(os));
  for (const player of players) {
    const { name, install } = player;
    try {
      const devices = await devicesOf(player, clock, signal);
      const detail = devices.length === 0 ? "no audio device" : `${devices.length} audio device(s)`;
      const remedy = devices.length === 0
        ? "attach a sound card, or start PulseAudio or PipeWire"
        : undefined;
      steps.push({ what: "player", name, ok: devices.length > 0, detail, remedy });
      if (devices.length > 0) return { steps, player, devices };
    } catch (error) {
      if (signal?.aborted) throw error;
      const detail = error instanceof ProgramMissing ? "not installed" : reasonOf(error);
      steps.push({ what: "player", name, ok: false, detail, remedy: install });
    }
  }
  return { steps, devices: [] };
}

export async function playOn(
  device: Device,
  player: PlayerKind,
  sound: Sound,
  { clock, signal }: AudioTestOptions,
): Promise<Step> {
  const path = await Deno.makeTempFile({ prefix: "mdg-audio-test-", suffix: ".wav" });
  const step = (ok: boolean, detail: string): Step => ({ what: "device", name: device.name, ok, detail });
  try {
    await Deno.writeFile(path, writeWav(sound));
    const { args, env } = player.play(device.name, path);
    const deadline_ms = secondsOf(sound) * 2_000 + SPARE_MS;
    const { program } = player;
    const { code, stderr } = await runProgram({ program, args, env, clock, deadline_ms, signal });
    if (code === 0) return step(true, device.description);
    return step(false, stderr.trim().split("\n").at(-1) || `${player.name} ended with code ${code}`);
  } catch (error) {
    if (signal?.aborted) throw error;
    return step(false, reasonOf(error));
  } finally {
    await Deno.remove(path);
  }
}

async function devicesOf(
  player: PlayerKind,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Device[]> {
  const { listing } = player;
  if (!listing) return [DEFAULT_DEVICE];
  const { program, args } = listing;
  const { code, stdout, stderr } = await runProgram({
    program,
    args,
    clock,
    deadline_ms: LIST_DEADLINE_MS,
    signal,
  });
  const devices = listing.read(stdout);
  if (code !== 0 && devices.length === 0 && !/no soundcards/i.test(stderr)) {
    throw new Error(stderr.trim().split("\n").at(-1) || `${program} ended with code ${code}`);
  }
  return devices;
}
