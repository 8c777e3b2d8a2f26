/**
 * The tap of one source: its connections by number, what is known of its sequences, and where its books may be written
 * down so that a reader can begin there.
 */
import { encodeAnswer, RECORD } from "../formats/recording/record.ts";
import type {
  SourceTap,
  TappedAnswer,
  TappedConnection,
  TappedNotice,
  TappedSource,
} from "../flow/frame_tap.ts";
import { SequenceLedger } from "../flow/sequence_ledger.ts";
import type { EventBatch } from "../market/event_batch.ts";
import type { Recorder } from "./recorder.ts";

const NOTHING = new Uint8Array(0);

interface OpenConnection {
  connection: TappedConnection;
  symbols: Set<string>;
}

export class RecordedTap implements SourceTap {
  readonly ledger: SequenceLedger;
  readonly #open = new Map<number, OpenConnection>();
  #wants_checkpoint = false;
  /** The frame received last is in the recording. */
  #is_stored = true;

  constructor(readonly tapped: TappedSource, readonly number: number, readonly recorder: Recorder) {
    this.ledger = new SequenceLedger(tapped.name, tapped.sequence);
  }
  /** Says what there is; `again` at the head of a further segment, which then gets its checkpoint too. */
  begin(at_us: number, again: boolean): void {
    const { name, venue, symbols, channels, legs } = this.tapped;
    const repeated = again ? { again } as const : {};
    this.recorder.mark({
      mark: "source",
      source: name,
      number: this.number,
      venue,
      symbols: [...symbols],
      channels: [...channels],
      legs,
      batches: true,
      ...repeated,
    }, at_us);
    for (const [number, { connection, symbols }] of this.#open) {
      this.#sayOpened(number, { ...connection, symbols: [...symbols] }, at_us, again);
    }
    this.#wants_checkpoint = again;
  }
  opened(connection: TappedConnection, at_us: number): number {
    const number = this.recorder.connections.take();
    this.#open.set(number, { connection, symbols: new Set(connection.symbols) });
    this.#sayOpened(number, connection, at_us, false);
    return number;
  }
  received(connection: number, frame: Uint8Array, is_binary: boolean, received_us: number): void {
    this.#is_stored = this.recorder.append(
      is_binary ? RECORD.received_binary : RECORD.received_text,
      connection,
      received_us,
      frame,
    );
  }
  mapped(connection: number, { events }: EventBatch, from: number): void {
    // What is not in the recording is a gap, as for every reader.
    if (!this.#is_stored) return;
    for (let i = from; i < events.length; i++) this.ledger.note(events[i], connection);
  }
  sent(connection: number, text: string, at_us: number): void {
    this.recorder.sent(connection, text, at_us);
  }
  symbolsChanged(
    connection: number,
    { add, remove }: { add: readonly string[]; remove: readonly string[] },
    at_us: number,
  ): void {
    const symbols = this.#open.get(connection)?.symbols;
    for (const symbol of remove) symbols?.delete(symbol);
    for (const symbol of add) symbols?.add(symbol);
    this.recorder.mark({ mark: "symbols", connection, add: [...add], remove: [...remove] }, at_us);
  }
  closed(connection: number, reason: string, at_us: number): void {
    this.recorder.mark({ mark: "closed", connection, reason }, at_us);
    this.ledger.closed(connection);
    this.#open.delete(connection);
    this.recorder.connections.free(connection);
  }
  answered({ body, url, ...answer }: TappedAnswer, received_us: number): void {
    const head = { source: this.tapped.name, ...answer, url: this.recorder.safeUrl(url) };
    this.recorder.append(RECORD.answer, 0, received_us, encodeAnswer(head, body));
  }
  noticed(notice: TappedNotice, at_us: number): void {
    const source = this.tapped.name;
    if (notice.mark === "overlap_tick") return this.recorder.mark({ ...notice, source }, at_us);
    this.recorder.mark({ ...notice, source, symbols: [...notice.symbols] }, at_us);
  }
  taken(at_us: number): void {
    this.recorder.append(RECORD.taken, this.number, at_us, NOTHING);
  }
  settled(at_us: number): void {
    if (!this.#wants_checkpoint) return;
    this.#wants_checkpoint = false;
    this.recorder.checkpoint(this.tapped, at_us);
  }
  #sayOpened(
    connection: number,
    { id, url, leg, symbols, channels }: TappedConnection,
    at_us: number,
    again: boolean,
  ) {
    this.recorder.mark({
      mark: "opened",
      connection,
      source: this.tapped.name,
      venue: this.tapped.venue,
      id,
      url: this.recorder.safeUrl(url),
      leg,
      symbols: [...symbols],
      channels: [...channels],
      ...(again ? { again } as const : {}),
    }, at_us);
  }
}
