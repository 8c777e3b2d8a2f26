/**
 * Configuration of the plain WebSocket server. One number bounds a client's queue; the steps of the slow-client ladder
 * are fixed shares of it, so they cannot be set to contradict each other.
 */
import { z } from "zod";
import { listenSchema } from "../listen.ts";

export const websocketSchema = z.object({
  listen: listenSchema("127.0.0.1:8080"),
  max_clients: z.int().min(1).max(100_000).default(1_000)
    .describe("Clients beyond this are answered 503"),
  max_subscriptions: z.int().min(1).max(100_000).default(2_048)
    .describe("Instrument-channel pairs one client may hold"),
  max_queue_bytes: z.int().min(65_536).max(1_073_741_824).default(4_194_304)
    .describe("Most bytes waiting for one client; books conflate from 1/16 of it, trades drop from 1/2"),
  heartbeat_ms: z.int().min(100).max(300_000).default(5_000)
    .describe("Period of heartbeats and pings; a client that misses two pings is cut off"),
  max_requests_per_second: z.int().min(1).max(10_000).default(50)
    .describe("Messages a client may send per second, with bursts of four seconds' worth"),
  allowed_origins: z.array(z.string()).max(1_000).default([])
    .describe(
      "Origins of web pages that may connect, besides pages served from this machine; exact, no wildcard",
    ),
});

export type WebsocketConfig = z.output<typeof websocketSchema>;

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
