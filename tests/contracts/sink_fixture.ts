/**
 * What a sink brings for its conformance tests: tests/contracts/sinks/<kind>.ts exports `fixture`, which starts the other
 * side (the real one) and reads what arrived there. Promises are stated, then held to: a fixture may promise less than
 * another kind, never more than it keeps.
 */

export interface ArrivedTrade {
  symbol: string;
  trade_id: number;
  price: number;
  quantity: number;
}

export interface Arrived {
  /** In the order of arrival, repeats included. */
  trades: readonly ArrivedTrade[];
  /** Symbol → `last_update_id` of the last book that arrived; absent where the kind takes no books. */
  books?: ReadonlyMap<string, number>;
}

/** The other side of one sink, empty at the start; disposing stops it and removes what it kept. */
export interface OtherSide extends AsyncDisposable {
  /** The sink's section of a config, without `kind`. */
  readonly config: Record<string, unknown>;
  /** What is there now. Never called while the other side is killed. */
  arrived(): Promise<Arrived>;
  /** Absent where the other side can't go away: files, shared memory. */
  readonly remote?: {
    /** kill -9. */
    kill(): Promise<void>;
    /** Back at the same address. */
    start(): Promise<void>;
  };
  /** Why the test's own reader would miss what is sent now (pub/sub): the sink is held back for so long. */
  readerAway?(): string | undefined;
}

export interface SinkFixture {
  /** Why the other side can't be had here; its tests are then skipped under that reason. */
  readonly missing?: string;
  /** Sections that the schema must refuse: at least a missing address, a wrong one, a bound out of range. */
  readonly refused: readonly Record<string, unknown>[];
  /** A message sent again because its answer was lost makes no second one. */
  readonly deduplicates: boolean;
  /** Takes every update where it is offered (`DELIVERED`): nothing waits, so nothing is held back or tried again. */
  readonly never_waits?: true;
  /** What the other side has acknowledged survives its kill -9. */
  readonly keeps_acknowledged: boolean;
  open(): Promise<OtherSide>;
}
