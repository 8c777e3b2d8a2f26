/**
 * Who makes calls over one connection: one key of one tenant, its place among the tenant's connections, what all its calls
 * hold together. Two keys on one connection (a proxy) are two clients.
 */
import type { Clock } from "../../base/clock.ts";
import type { Holding } from "../../flow/memory_guard/holdings.ts";
import type { Grant, Lease } from "../access/access.ts";
import { RateBucket } from "../access/rate_bucket.ts";
import type { Call, CallAccount } from "./transport/call.ts";
import type { Connection } from "./transport/connection.ts";

/** Bursts that a client may make, in seconds of its rate. */
const BURST_S = 4;

/** What a running stream was granted for, to be asked again when rights change. */
export interface Topic {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: string;
  readonly depth?: number;
}

export interface GrpcClientContext {
  readonly clock: Clock;
  readonly max_queue_bytes: number;
  readonly max_requests_per_second: number;
  noteAdmitted(bytes: number): void;
}

export class GrpcClient implements CallAccount {
  /** Its calls; those that stream with what they are about. */
  readonly calls = new Map<Call, Topic | undefined>();
  /** Streams that had to let an update pass because of what its other calls hold. */
  readonly #starved = new Set<() => void>();
  #requests: RateBucket;
  grant: Grant;
  holding: Holding | undefined;
  queued_bytes = 0;
  subscriptions = 0;
  sent_messages = 0;
  sent_bytes = 0;
  skipped_messages = 0;

  constructor(
    readonly id: string,
    readonly connection: Connection,
    readonly peer: string,
    grant: Grant,
    readonly lease: Lease,
    readonly context: GrpcClientContext,
  ) {
    this.grant = grant;
    this.#requests = this.#bucket();
  }
  /** False: it asks too often. */
  takeRequest(): boolean {
    return this.#requests.take();
  }
  /** The same client under other rights. */
  renew(grant: Grant): void {
    this.grant = grant;
    this.#requests = this.#bucket();
  }
  get step(): string {
    return this.queued_bytes > this.context.max_queue_bytes / 2 ? "lagging" : "normal";
  }
  /** Its calls hold little together, so another message may be queued. */
  get has_room(): boolean {
    return this.queued_bytes <= this.context.max_queue_bytes / 2;
  }
  /** One message goes whatever its size while nothing else waits, or a deep book could never be told. */
  hold(bytes: number): boolean {
    const { max_queue_bytes } = this.context;
    if (bytes > 0 && this.queued_bytes > 0 && this.queued_bytes + bytes > max_queue_bytes) return false;
    this.queued_bytes += bytes;
    this.holding?.set(this.queued_bytes);
    if (bytes > 0) this.context.noteAdmitted(bytes);
    else if (this.#starved.size > 0 && this.has_room) this.#feed();
    return true;
  }
  noteSent(bytes: number): void {
    this.sent_bytes += bytes;
    this.sent_messages++;
  }
  /** Calls `again` once there is room. */
  starve(again: () => void): void {
    this.#starved.add(again);
  }
  forget(again: () => void): void {
    this.#starved.delete(again);
  }
  /** Every call of it ends with this word; then nothing of it is left. */
  endAll(code: number, message: string): void {
    for (const call of [...this.calls.keys()]) call.fail(code, message);
  }
  /** At once: what is queued is let go of now. */
  resetAll(): void {
    for (const call of [...this.calls.keys()]) call.reset();
  }

  #feed(): void {
    const hungry = [...this.#starved];
    this.#starved.clear();
    for (const again of hungry) again();
  }
  #bucket(): RateBucket {
    const { clock, max_requests_per_second } = this.context;
    const per_second = Math.min(max_requests_per_second, this.grant.limits.max_requests_per_second);
    return new RateBucket(clock, per_second, per_second * BURST_S);
  }
}
