/**
 * What both servers of this protocol let an operator set. One number bounds a client's queue; the steps of the slow-client
 * ladder are fixed shares of it, so they cannot be set to contradict each other.
 */
import { z } from "zod";

/** Spread into the schema of a server that speaks the protocol. */
export const EDGE_OPTIONS = {
  max_clients: z.int().min(1).max(1_000_000).default(1_000)
    .describe("Clients beyond this are answered 503"),
  max_subscriptions: z.int().min(1).max(100_000).default(2_048)
    .describe("Instrument-channel pairs one client may hold"),
  max_queue_bytes: z.int().min(65_536).max(1_073_741_824).default(4_194_304)
    .describe("Most bytes waiting for one client; books conflate from 1/16 of it, trades drop from 1/2"),
  heartbeat_ms: z.int().min(100).max(300_000).default(5_000)
    .describe("Period of heartbeats and pings; a client that misses two pings is cut off"),
  max_lag_ms: z.int().min(50).max(300_000).default(1_000)
    .describe("A client whose answer to a ping takes longer counts as slow, whatever its queue says"),
  shed_after_ms: z.int().min(1_000).max(3_600_000).default(10_000)
    .describe("A client over half its queue for so long loses its heaviest subscription, and again"),
  max_requests_per_second: z.int().min(1).max(10_000).default(50)
    .describe("Messages a client may send per second, with bursts of four seconds' worth"),
  resume_ms: z.int().min(0).max(3_600_000).default(30_000)
    .describe("How long messages are kept for clients that come back"),
  resume_bytes: z.int().min(0).max(4_294_967_296).default(67_108_864)
    .describe("Most bytes kept for clients that come back, per worker; the oldest go first"),
};
const schema = z.object(EDGE_OPTIONS);
export type EdgeOptionsConfig = z.output<typeof schema>;

/** The steps of the ladder, bytes queued for one client (our queue plus what the socket holds). */
export interface QueueLimits {
  /** At most this much is handed to the socket ahead of the kernel, since it can no longer be conflated there. */
  readonly window_bytes: number;
  /** From here the client is lagging: mergeable channels conflate, book deltas give way to a later snapshot. */
  readonly conflate_bytes: number;
  /** Down to here it has caught up. */
  readonly resume_bytes: number;
  /** From here trades are dropped and announced. */
  readonly trade_bytes: number;
  /** `queued + next ≤ max`, always; a client that would break it is closed. */
  readonly max_queue_bytes: number;
}

export function queueLimits(max_queue_bytes: number): QueueLimits {
  return {
    window_bytes: Math.min(131_072, max_queue_bytes >> 3),
    conflate_bytes: max_queue_bytes >> 4,
    resume_bytes: max_queue_bytes >> 6,
    trade_bytes: max_queue_bytes >> 1,
    max_queue_bytes,
  };
}

export interface EdgeLimits extends Omit<EdgeOptionsConfig, "max_queue_bytes"> {
  readonly queue: QueueLimits;
}

export function edgeLimits({ max_queue_bytes, ...rest }: EdgeOptionsConfig): EdgeLimits {
  return { ...rest, queue: queueLimits(max_queue_bytes) };
}
