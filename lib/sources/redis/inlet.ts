/** The two words between the source and its way in: what the way in can do, and what it tells. */
import type { SourceContext } from "../source.ts";

/** A subscription or a stream reader. */
export interface Inlet {
  notReady(): string | undefined;
  add(symbol: string): void;
  remove(symbol: string): void;
  /** The book of this symbol is wanted, if it can be had without waiting for the next. */
  requestBook(symbol: string): void;
  /** What was pushed before is consumed now. */
  taken(): void;
  close(): Promise<void>;
}

export interface InletOwner {
  readonly context: SourceContext;
  readonly symbols: readonly string[];
  /** Those of them that were named, not learnt. */
  readonly named: readonly string[];
  /** Messages not yet consumed. */
  readonly queued: number;
  push(text: string): void;
  interrupted(symbols: readonly string[], reason: string): void;
}
