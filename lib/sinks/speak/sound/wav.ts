/**
 * Sound as 16-bit samples, and the WAV files that speech programs write: RIFF, PCM, 16 bits. Sizes in the header are not
 * trusted, since programs that write to a pipe leave them open. Other encodings are refused.
 */
import { UserError } from "../../../base/errors.ts";

export interface Sound {
  readonly sample_rate: number;
  /** Interleaved. */
  readonly channels: number;
  readonly samples: Int16Array;
}

const HEADER_BYTES = 44;
const PCM = 1;
/** WAVE_FORMAT_EXTENSIBLE: its own bits say PCM, too, for 16-bit files. */
const EXTENSIBLE = 0xFFFE;

export function writeWav({ sample_rate, channels, samples }: Sound): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const tag = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  tag(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sample_rate, true);
  view.setUint32(28, sample_rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  tag(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => view.setInt16(HEADER_BYTES + i * 2, sample, true));
  return bytes;
}

/** @throws UserError for anything but 16-bit PCM */
export function readWav(bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => new TextDecoder("latin1").decode(bytes.subarray(at, at + 4));
  const refuse = (what: string) => new UserError(`read WAV: ${what}, want 16-bit PCM`);
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") throw refuse("no WAV file");
  let format: { sample_rate: number; channels: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === "fmt " && body + 16 <= bytes.length) {
      const encoding = view.getUint16(body, true);
      const bits = view.getUint16(body + 14, true);
      if ((encoding !== PCM && encoding !== EXTENSIBLE) || bits !== 16) {
        throw refuse(`encoding ${encoding}, ${bits} bits`);
      }
      format = { channels: view.getUint16(body + 2, true), sample_rate: view.getUint32(body + 4, true) };
    } else if (tag(at) === "data") {
      if (!format) throw refuse("data before its format");
      const end = Math.min(body + size, bytes.length);
      const samples = new Int16Array(Math.floor((end - body) / 2));
      for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(body + i * 2, true);
      return { ...format, samples };
    }
    at = body + size + (size % 2);
  }
  throw refuse("no data");
}

/** A sine that swells and fades, so that it does not click. */
export function tone(frequency_hz: number, seconds: number, sample_rate: number, channels = 1): Sound {
  const count = Math.round(seconds * sample_rate);
  const fade = Math.min(count / 2, sample_rate / 50);
  const samples = new Int16Array(count * channels);
  for (let i = 0; i < count; i++) {
    const loudness = Math.min(1, i / fade, (count - i) / fade);
    const value = Math.sin(2 * Math.PI * frequency_hz * i / sample_rate) * 0.5 * loudness;
    samples.fill(Math.round(value * 0x7FFF), i * channels, (i + 1) * channels);
  }
  return { sample_rate, channels, samples };
}

/** One after the other, with a pause between. @throws RangeError when they differ in rate or channels */
export function joined(sounds: readonly Sound[], pause_seconds = 0.25): Sound {
  const [{ sample_rate, channels }] = sounds;
  if (sounds.some((one) => one.sample_rate !== sample_rate || one.channels !== channels)) {
    throw new RangeError("join sounds: different rates or channels, want the same");
  }
  const pause = Math.round(pause_seconds * sample_rate) * channels;
  const length = sounds.reduce((sum, one) => sum + one.samples.length, 0) + pause * (sounds.length - 1);
  const samples = new Int16Array(length);
  let at = 0;
  for (const one of sounds) {
    samples.set(one.samples, at);
    at += one.samples.length + pause;
  }
  return { sample_rate, channels, samples };
}

/** The loudest sample, 0 … 1. */
export function peakOf({ samples }: Sound): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak / 0x8000;
}
export function secondsOf({ samples, channels, sample_rate }: Sound): number {
  return samples.length / channels / sample_rate;
}
