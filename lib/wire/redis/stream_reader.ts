/**
 * Reads Redis streams from given ids on, in order per stream, whatever stands behind the link. One server: one XREAD that
 * blocks over all; a Cluster, where one command may only name streams of one slot: an XREAD a slot, at intervals. The ids
 * reached are kept here, so a break loses nothing that the streams still hold; what was trimmed meanwhile is told.
 */
import { type Clock, sleep } from "../../base/clock.ts";
import { clusterSlot } from "./cluster_slot.ts";
import type { RedisLink } from "./redis_link.ts";

export interface StreamEntry {
  readonly stream: string;
  readonly id: string;
  /** The value of the entry's field `payload`; undefined when it has none. */
  readonly payload: string | undefined;
}

export interface StreamReaderOptions {
  readonly clock: Clock;
  readonly is_cluster: boolean;
  /** How long one XREAD blocks where it may, and how often it is sent where it may not. */
  readonly block_ms: number;
  readonly poll_ms: number;
  /** Entries of one stream in one answer. */
  readonly max_entries: number;
  onError(error: Error): void;
  /** Entries between the id reached and this first one are gone before they were read. */
  onTrimmed(stream: string, reached: string, first: string): void;
}

const RETRY_MS = 200;

export class StreamReader {
  /** Stream → id of the last entry read; "$" until the first answer. */
  readonly positions = new Map<string, string>();
  /** Streams whose oldest entry is to be compared with the id reached, after a break. */
  readonly #unproven = new Set<string>();

  constructor(readonly link: RedisLink, readonly options: StreamReaderOptions) {}

  /** `from`: an id, "0" for all there is, "$" for what comes from now on. */
  add(stream: string, from: string): void {
    this.positions.set(stream, from);
    this.#unproven.add(stream);
  }
  remove(stream: string): void {
    this.positions.delete(stream);
  }
  /** Entries as they come, until `signal` aborts. */
  async *entries(signal: AbortSignal): AsyncIterable<readonly StreamEntry[]> {
    const { clock, poll_ms, is_cluster } = this.options;
    while (!signal.aborted) {
      if (!this.link.ready || !await this.#prepare()) {
        for (const stream of this.positions.keys()) this.#unproven.add(stream);
        await sleep(clock, RETRY_MS, signal);
        continue;
      }
      const entries = await this.#read();
      if (entries === undefined) {
        for (const stream of this.positions.keys()) this.#unproven.add(stream);
        await sleep(clock, RETRY_MS, signal);
      } else if (entries.length > 0) yield entries;
      else if (is_cluster) await sleep(clock, poll_ms, signal);
    }
  }

  /** "$" becomes the id that is last now, so that nothing between two reads is missed; ids reached are proven. */
  async #prepare(): Promise<boolean> {
    const due = [...this.#unproven].filter((stream) => this.positions.has(stream));
    if (due.length === 0) return true;
    const items = due.map((stream) => ({ stream, slot: clusterSlot(stream) }));
    const answers = await this.link.send(items, (commands, { stream }) => {
      if (this.positions.get(stream) === "$") commands.command("XREVRANGE", stream, "+", "-", "COUNT", 1);
      else commands.command("XRANGE", stream, "-", "+", "COUNT", 1);
    });
    for (let i = 0; i < due.length; i++) {
      const [error, reply] = answers[i];
      if (error) {
        this.options.onError(error);
        return false;
      }
      this.#unproven.delete(due[i]);
      const [entry] = entriesOf(due[i], reply);
      const reached = this.positions.get(due[i]);
      if (reached === "$") this.positions.set(due[i], entry?.id ?? "0-0");
      else if (reached !== undefined && entry && reached !== "0" && idBefore(reached, entry.id)) {
        this.options.onTrimmed(due[i], reached, entry.id);
      }
    }
    return true;
  }
  /** Undefined: the link failed. */
  async #read(): Promise<StreamEntry[] | undefined> {
    const { is_cluster, block_ms, max_entries } = this.options;
    const groups = new Map<number, string[]>();
    for (const stream of this.positions.keys()) {
      const slot = is_cluster ? clusterSlot(stream) : 0;
      const group = groups.get(slot);
      if (group) group.push(stream);
      else groups.set(slot, [stream]);
    }
    if (groups.size === 0) return [];
    const items = [...groups].map(([slot, streams]) => ({ slot, streams }));
    const answers = await this.link.send(items, (commands, { streams }) => {
      const ids = streams.map((stream) => this.positions.get(stream)!);
      const block = is_cluster ? [] : ["BLOCK", block_ms];
      commands.command("XREAD", "COUNT", max_entries, ...block, "STREAMS", ...streams, ...ids);
    });
    const found: StreamEntry[] = [];
    let failed = false;
    for (const [error, reply] of answers) {
      if (error) {
        this.options.onError(error);
        failed = true;
        continue;
      }
      for (const row of Array.isArray(reply) ? reply : []) {
        const [stream, entries] = row as [string, unknown];
        if (!this.positions.has(stream)) continue;
        const own = entriesOf(stream, entries);
        if (own.length > 0) this.positions.set(stream, own.at(-1)!.id);
        found.push(...own);
      }
    }
    return failed && found.length === 0 ? undefined : found;
  }
}

/** `[[id, [field, value, …]], …]` as entries. */
export function entriesOf(stream: string, reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  return reply.map((row) => {
    const [id, fields] = row as [string, string[] | null];
    const at = fields?.findIndex((word, i) => i % 2 === 0 && word === "payload") ?? -1;
    return { stream, id, payload: at < 0 ? undefined : fields![at + 1] };
  });
}

/** Whether the first stream id is older than the second. */
function idBefore(one: string, other: string): boolean {
  const [ms, sequence = "0"] = one.split("-");
  const [other_ms, other_sequence = "0"] = other.split("-");
  return BigInt(ms) < BigInt(other_ms) ||
    (BigInt(ms) === BigInt(other_ms) && BigInt(sequence) < BigInt(other_sequence));
}
