/**
 * The clients of one edge as the memory guard sees them: what each holds, what is in memory once, who may be let go.
 */
import { type Holding, Holdings } from "../../../flow/memory_guard/holdings.ts";
import type { GuardedClient, GuardedPool, PoolMeasure, PressureStep } from "../../../flow/memory_guard.ts";
import type { Client } from "./client.ts";
import type { Edge } from "./edge.ts";

/** Frames looked at to tell which are shared; past it the rest counts as if each client had its own. */
const MAX_FRAMES_SEEN = 20_000;
/** Looking takes milliseconds in which nobody is served; between two looks the shared part is taken to be as it was. */
const LOOK_MS = 1_000;

export class EdgePool implements GuardedPool {
  readonly #holdings = new Holdings();
  #looked_ms = -Infinity;
  /** Of the bytes that clients hold together, what is in memory once, at the last look. */
  #own_share = 1;

  constructor(readonly name: string, readonly edge: Edge) {}

  enter(client: Client): Holding {
    const { grant } = client;
    return this.#holdings.add({
      id: client.identity.id,
      priority: grant?.priority ?? 0,
      tenant: grant?.tenant ?? "",
      evict: () => client.close("evicted"),
    });
  }
  leave(holding: Holding): void {
    this.#holdings.remove(holding);
  }
  measure(): PoolMeasure {
    const { client_bytes, clients } = this.#holdings;
    return { client_bytes, unique_bytes: this.edge.history.bytes + this.#unique(client_bytes), clients };
  }
  candidates(limit_per_class: number): readonly GuardedClient[] {
    return this.#holdings.candidates(limit_per_class);
  }
  tenantBytes(): ReadonlyMap<string, number> {
    return this.#holdings.tenantBytes();
  }
  setPressure({ refuse_newcomers, conflate_all }: PressureStep): void {
    this.edge.setPressure(refuse_newcomers, conflate_all);
  }

  /** Shared frames count once; what is on its way to the kernel counts for each client, since TLS copies it. */
  #unique(client_bytes: number): number {
    const now_ms = this.edge.options.clock.monotonic_ms();
    if (client_bytes > 0 && now_ms - this.#looked_ms >= LOOK_MS) {
      this.#looked_ms = now_ms;
      this.#own_share = Math.max(0, 1 - this.#repeatedBytes() / client_bytes);
    }
    return Math.round(client_bytes * this.#own_share);
  }
  #repeatedBytes(): number {
    const seen = new Set<unknown>();
    let repeated_bytes = 0;
    for (const client of this.edge.clients) {
      if (client.queued_bytes === 0) continue;
      for (const frame of client.pendingFrames()) {
        if (seen.has(frame)) repeated_bytes += frame.length;
        else seen.add(frame);
      }
      if (seen.size > MAX_FRAMES_SEEN) break;
    }
    return repeated_bytes;
  }
}
