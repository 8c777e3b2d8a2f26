/**
 * Reads the sequences of a recorded source anew from its frames and compares them, segment by segment, with what the
 * certificates say: a frame that is missing in both shows as a gap, a frame that is missing in one as a contradiction.
 */
import { SequenceLedger } from "../../flow/sequence_ledger.ts";
import type { Certificate, StreamRecord } from "../../formats/recording/certificate.ts";
import type { Mark } from "../../formats/recording/mark.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import { connectionKey } from "../replay/replay_part.ts";

export class LedgerCheck {
  readonly problems: { segment: number; problem: string }[] = [];
  readonly #certificates: Certificate[];
  #ledger: SequenceLedger;
  #present: Certificate | undefined;
  /** What came before this segment is not known: the recording begins in the middle. */
  #begins_amid = false;

  constructor(
    readonly source: string,
    readonly rule: SequenceRule | undefined,
    certificates: readonly Certificate[],
  ) {
    this.#certificates = certificates.filter(({ connections, streams }) =>
      [...connections, ...streams].some((one) => one.source === source)
    );
    this.#ledger = new SequenceLedger(source, rule);
  }
  heard({ events }: EventBatch, from: number, key: number): void {
    for (let i = from; i < events.length; i++) this.#ledger.note(events[i], key);
  }
  /** A source's mark stands at the head of each segment. */
  marked(mark: Mark): void {
    if (mark.mark === "closed") return this.#ledger.closed(connectionKey(0, mark.connection));
    if (mark.mark !== "source") return;
    this.finish();
    this.#begins_amid = this.#present === undefined && mark.again === true;
    this.#present = this.#certificates.shift();
    if (mark.again) this.#ledger.restart();
    else this.#ledger = new SequenceLedger(this.source, this.rule);
  }
  /** Compares what was read of the present segment. */
  finish(): void {
    if (this.#present === undefined) return;
    const { segment, streams, ended } = this.#present;
    // Written down a few times a second: of a killed recorder the last word may be missing.
    const may_lag = ended === "killed";
    const stated = new Map(
      streams.filter((one) => one.source === this.source).map((one) => [keyOf(one), one]),
    );
    for (const found of this.#ledger.records()) {
      const key = keyOf(found);
      const said = stated.get(key);
      stated.delete(key);
      if (may_lag && (said?.events ?? 0) < found.events) continue;
      if (said === undefined) this.#problem(segment, `${key} is in the frames and not in the certificate`);
      else this.#compare(segment, key, said, found);
    }
    for (const key of stated.keys()) {
      this.#problem(segment, `${key} is in the certificate and not in the frames`);
    }
  }

  #compare(segment: number, key: string, said: StreamRecord, found: StreamRecord): void {
    if (said.events !== found.events) {
      this.#problem(
        segment,
        `${key}: the certificate tells of ${said.events} events, the frames of ${found.events}`,
      );
    }
    if (said.last_id !== found.last_id) {
      this.#problem(
        segment,
        `${key}: the certificate ends at id ${said.last_id}, the frames at ${found.last_id}`,
      );
    }
    if (!this.#begins_amid && said.after_id !== found.after_id) {
      this.#problem(
        segment,
        `${key}: the certificate begins after id ${said.after_id}, the frames after ${found.after_id}`,
      );
    }
    const named = new Set(said.gaps.map((gap) => `${gap.after_id} ${gap.before_id}`));
    for (const { after_id, before_id } of found.gaps) {
      if (named.has(`${after_id} ${before_id}`) || said.more_gaps > 0) continue;
      this.#problem(segment, `${key}: between ids ${after_id} and ${before_id} frames are missing, untold`);
    }
    if (said.gaps.length > found.gaps.length && !this.#begins_amid) {
      this.#problem(
        segment,
        `${key}: the certificate names ${said.gaps.length} gaps, the frames show ${found.gaps.length}`,
      );
    }
  }
  #problem(segment: number, problem: string): void {
    this.problems.push({ segment, problem });
  }
}

function keyOf({ symbol, stream }: StreamRecord): string {
  return `${symbol} ${stream}`;
}
