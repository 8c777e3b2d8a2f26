/**
 * What one stream of frames is, as a number: instrument, channel, variant (depth, interval) and encoding packed so that
 * every worker computes the same one without asking. `handle` (without the encoding) is what binary messages carry.
 */
import { type Interval, INTERVALS } from "../../market/interval.ts";
import { CHANNEL_NAMES, type ChannelName, DEPTHS, INTERVALS_MS } from "./protocol.ts";

export const JSON_FORMAT = 0;
export const BINARY_FORMAT = 1;
export type Format = typeof JSON_FORMAT | typeof BINARY_FORMAT;

/** What a subscription asks for beside venue and symbol. */
export interface Variant {
  readonly channel: ChannelName;
  /** Book and orders only: best levels a side; absent is the whole book. */
  readonly depth?: number;
  /** At most one message in that time. */
  readonly interval_ms?: number;
  /** Candles only. */
  readonly interval?: Interval;
}

const VARIANTS = 512;
const CHANNELS = 8;
const INTERVAL_SLOTS = 16;
const PER_INSTRUMENT = VARIANTS * CHANNELS;

/** Below 2^53 for 2^40 instruments. */
export function handleOf(instrument: number, { channel, depth, interval_ms, interval }: Variant): number {
  const depth_slot = depth === undefined ? 0 : DEPTHS.indexOf(depth) + 1;
  const interval_slot = interval !== undefined
    ? INTERVALS.indexOf(interval)
    : interval_ms === undefined
    ? 0
    : INTERVALS_MS.indexOf(interval_ms) + 1;
  const variant = depth_slot * INTERVAL_SLOTS + interval_slot;
  return instrument * PER_INSTRUMENT + CHANNEL_NAMES.indexOf(channel) * VARIANTS + variant;
}

export function instrumentOf(handle: number): number {
  return Math.floor(handle / PER_INSTRUMENT);
}

export function variantOf(handle: number): Variant {
  const rest = handle % PER_INSTRUMENT;
  const channel = CHANNEL_NAMES[Math.floor(rest / VARIANTS)];
  const depth_slot = Math.floor((rest % VARIANTS) / INTERVAL_SLOTS);
  const interval_slot = rest % INTERVAL_SLOTS;
  if (channel === "candles") return { channel, interval: INTERVALS[interval_slot] };
  return {
    channel,
    depth: depth_slot === 0 ? undefined : DEPTHS[depth_slot - 1],
    interval_ms: interval_slot === 0 ? undefined : INTERVALS_MS[interval_slot - 1],
  };
}

export function streamOf(handle: number, format: Format): number {
  return handle * 2 + format;
}
export function handleOfStream(stream: number): number {
  return Math.floor(stream / 2);
}
export function formatOfStream(stream: number): Format {
  return stream % 2 === 0 ? JSON_FORMAT : BINARY_FORMAT;
}
