/**
 * What is known of the sequences of one source's streams: ranges of ids, and every gap by name. A gap is what no
 * connection brought: each connection has its chain, the union of the chains is compared with the venue's own rule.
 * Venues whose ids tell nothing (checksums, counts per connection) are counted and said to be proved otherwise.
 * Bound: `MAX_GAPS` named per stream, more are counted.
 */
import type { SequenceGap, StreamRecord } from "../formats/recording/certificate.ts";
import {
  type BookDelta,
  type BookSnapshot,
  CHANNEL_OF,
  type MarketEvent,
  type Trade,
} from "../market/event.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";

const MAX_GAPS = 1_000;

interface Chain {
  from: number;
  to: number;
}

/** One stream of one symbol. */
class Tally {
  readonly record: StreamRecord;
  /** The highest id of the union of the chains. */
  frontier: number | undefined;
  readonly chains = new Map<number, Chain>();
  last_connection = -1;
  last_chain: Chain | undefined;
  dirty = false;

  constructor(
    source: string,
    symbol: string,
    stream: StreamRecord["stream"],
    readonly rule: SequenceRule | undefined,
  ) {
    const proof = stream === "book" ? rule?.losses_shown_by ?? (rule ? "ids" : "none") : "none";
    this.record = {
      source,
      symbol,
      stream,
      events: 0,
      snapshots: 0,
      repeated: 0,
      proof,
      gaps: [],
      more_gaps: 0,
    };
  }
  /** The records of the next segment begin; what is known of the ids goes on. */
  restart(): void {
    const { record } = this;
    record.events =
      record.snapshots =
      record.repeated =
      record.more_gaps =
        0;
    record.after_id = record.last_id = undefined;
    record.gaps = [];
    this.dirty = false;
  }
  /** An event that follows the id `after` and goes up to `to`. `verdictOn`: how it follows a given id. */
  extend(
    connection: number,
    after: number,
    to: number,
    at_us: number,
    follows: (id: number) => "stale" | "next" | "gap",
    resumed_by: SequenceGap["resumed_by"],
  ): void {
    const { record, frontier } = this;
    const chain = this.#chain(connection);
    const in_chain = chain && follows(chain.to);
    if (chain === undefined || in_chain === "gap") {
      const verdict = frontier === undefined ? "next" : follows(frontier);
      if (verdict === "gap") {
        this.#gap({ after_id: frontier!, before_id: after + 1, at_us, connection, resumed_by });
      }
      this.#setChain(connection, { from: after, to });
    } else if (in_chain === "next") chain.to = Math.max(chain.to, to);
    if (record.after_id === undefined) {
      record.after_id = frontier === undefined ? after : Math.min(after, frontier);
    }
    if (frontier === undefined || to > frontier) this.frontier = to;
    else record.repeated++;
    record.last_id = this.frontier;
    if (record.gaps.length > 0 && this.chains.size > 1) this.#close(connection);
  }
  /** Ids start over. */
  reset(connection: number, id: number): void {
    this.chains.clear();
    this.last_chain = undefined;
    this.frontier = id;
    this.#setChain(connection, { from: id, to: id });
    this.record.after_id ??= id;
    this.record.last_id = id;
  }
  forget(connection: number): void {
    this.chains.delete(connection);
    if (this.last_connection === connection) this.last_chain = undefined;
  }

  #chain(connection: number): Chain | undefined {
    if (connection === this.last_connection && this.last_chain !== undefined) return this.last_chain;
    const chain = this.chains.get(connection);
    this.last_connection = connection;
    this.last_chain = chain;
    return chain;
  }
  #setChain(connection: number, chain: Chain): void {
    this.chains.set(connection, chain);
    this.last_connection = connection;
    this.last_chain = chain;
  }
  #gap(gap: SequenceGap): void {
    if (this.record.gaps.length < MAX_GAPS) this.record.gaps.push(gap);
    else this.record.more_gaps++;
  }
  /** A chain that reaches over a gap fills it. */
  #close(connection: number): void {
    const chain = this.chains.get(connection);
    if (chain === undefined) return;
    const { gaps } = this.record;
    const open = gaps.filter((gap) => !(chain.from <= gap.after_id && chain.to >= gap.before_id));
    if (open.length < gaps.length) this.record.gaps = open;
  }
}

export class SequenceLedger {
  readonly #tallies = new Map<string, Partial<Record<StreamRecord["stream"], Tally>>>();
  #last_symbol = "";
  #last: Partial<Record<StreamRecord["stream"], Tally>> | undefined;

  constructor(readonly source: string, readonly rule: SequenceRule | undefined) {}

  note(event: MarketEvent, connection: number): void {
    if (event.kind === "damage") return;
    const tally = this.#tally(event.symbol, CHANNEL_OF[event.kind]);
    tally.dirty = true;
    if (event.kind === "book_snapshot") {
      tally.record.snapshots++;
      if (this.rule?.in_band_snapshots && tally.record.proof === "ids") {
        this.#snapshot(tally, event, connection);
      }
      return;
    }
    tally.record.events++;
    if (event.kind === "book_delta" && tally.record.proof === "ids") this.#delta(tally, event, connection);
    else if (event.kind === "trade") this.#trade(tally, event, connection);
  }
  /** Its chains end. */
  closed(connection: number): void {
    for (const streams of this.#tallies.values()) {
      for (const tally of Object.values(streams)) tally.forget(connection);
    }
  }
  /** The streams about which something new is known since the last call. */
  changes(): StreamRecord[] {
    const changed: StreamRecord[] = [];
    for (const tally of this.#all()) {
      if (tally.dirty) changed.push(tally.record);
      tally.dirty = false;
    }
    return changed;
  }
  /** What was said last was lost: say it all again. */
  restate(): void {
    for (const tally of this.#all()) tally.dirty = true;
  }
  records(): StreamRecord[] {
    return [...this.#all()].map((tally) => tally.record)
      .filter(({ events, snapshots }) => events > 0 || snapshots > 0);
  }
  restart(): void {
    for (const tally of this.#all()) tally.restart();
  }

  *#all(): Iterable<Tally> {
    for (const streams of this.#tallies.values()) yield* Object.values(streams);
  }
  #tally(symbol: string, stream: StreamRecord["stream"]): Tally {
    let streams = symbol === this.#last_symbol ? this.#last : this.#tallies.get(symbol);
    if (streams === undefined) this.#tallies.set(symbol, streams = {});
    this.#last_symbol = symbol;
    this.#last = streams;
    return streams[stream] ??= new Tally(this.source, symbol, stream, this.rule);
  }
  #delta(tally: Tally, delta: BookDelta, connection: number): void {
    const { rule } = this;
    const after = delta.previous_id ?? delta.first_id - 1;
    tally.extend(
      connection,
      after,
      delta.last_id,
      delta.received_us,
      (id) => rule!.afterDelta(delta, id),
      "event",
    );
  }
  #snapshot(tally: Tally, { last_id, resets, received_us }: BookSnapshot, connection: number): void {
    if (resets) return tally.reset(connection, last_id);
    const follows = (id: number) => last_id <= id ? "next" as const : "gap" as const;
    tally.extend(connection, last_id, last_id, received_us, follows, "snapshot");
  }
  /** Only aggregates are numbered +1 per symbol; of other ids nobody knows what lies between. */
  #trade(tally: Tally, { trade_id, first_fill_id, received_us }: Trade, connection: number): void {
    if (trade_id === undefined || first_fill_id === undefined) return;
    tally.record.proof = "ids";
    const follows = (id: number) =>
      trade_id <= id ? "stale" as const : trade_id === id + 1 ? "next" as const : "gap" as const;
    tally.extend(connection, trade_id - 1, trade_id, received_us, follows, "event");
  }
}
