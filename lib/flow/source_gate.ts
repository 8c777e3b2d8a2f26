/**
 * The door between a source and its books, which the memory guard closes. Closed: no batch passes, the source stops
 * reading, its books are out of sync for everybody ("paused: memory is short"), readiness says so. Opened: it reads on
 * and every book gets a fresh snapshot. Only sources that can stop and lose nothing for good have a door that closes.
 */
import type { Books } from "./books.ts";
import type { ReadinessPart } from "./hub.ts";
import type { GuardedUpstream } from "./memory_guard.ts";
import type { SourceConnection, UpstreamState } from "./session_registry.ts";

/** What the door needs to know of a source. */
export interface GatedSource extends ReadinessPart {
  readonly venue: string;
  readonly symbols: readonly string[];
  requestSnapshot(symbol: string, reason: string): void;
  connections?(): SourceConnection[];
  pause?(): void;
  resume?(): void;
}

export class SourceGate implements GuardedUpstream, ReadinessPart {
  #paused: string | undefined;
  #opening = Promise.withResolvers<void>();
  /** Symbols that asked for a snapshot while the door was closed, with the first reason. */
  readonly #wanted = new Map<string, string>();
  #books: Books | undefined;

  constructor(readonly source: GatedSource, readonly signal: AbortSignal, readonly flush: () => void) {
    signal.addEventListener("abort", () => this.#opening.resolve(), { once: true });
  }
  get name(): string {
    return this.source.name;
  }
  get recoverable(): boolean {
    return this.source.pause !== undefined && this.source.resume !== undefined;
  }
  /** The books behind the door. */
  set books(books: Books) {
    this.#books = books;
  }
  notReady(): string | undefined {
    return this.#paused ?? this.source.notReady();
  }
  /** Undefined while the door is open, else what resolves when it opens or all stops. */
  closed(): Promise<void> | undefined {
    return this.#paused === undefined || this.signal.aborted ? undefined : this.#opening.promise;
  }
  requestSnapshot(symbol: string, reason: string): void {
    if (this.#paused === undefined) return this.source.requestSnapshot(symbol, reason);
    if (!this.#wanted.has(symbol)) this.#wanted.set(symbol, reason);
  }
  pause(reason: string): void {
    if (this.#paused !== undefined || !this.recoverable) return;
    this.#paused = `paused: ${reason}`;
    this.#opening = Promise.withResolvers();
    this.source.pause!();
    this.#books?.interrupted(this.source.symbols, this.#paused);
    this.flush();
  }
  resume(): void {
    if (this.#paused === undefined) return;
    this.#paused = undefined;
    this.#opening.resolve();
    if (this.signal.aborted) return;
    this.source.resume!();
    for (const [symbol, reason] of this.#wanted) this.source.requestSnapshot(symbol, reason);
    this.#wanted.clear();
  }
  upstreams(): UpstreamState[] {
    const { name, venue, symbols } = this.source;
    const reason = this.notReady();
    const only = {
      connection: name,
      state: reason === undefined ? "connected" : "connecting",
      reason,
    } as const;
    const connections = this.source.connections?.() ?? [{ ...only, symbols: symbols.length }];
    return connections.map((one) => ({
      source: name,
      venue,
      ...one,
      ...(this.#paused === undefined ? {} : { state: "paused" as const, reason: this.#paused }),
    }));
  }
}
