/**
 * The items of one write, those of each channel together. Several of a channel go as a transaction, because between two
 * commands of a connection the server may serve others, and refuse the first and take the second: so a run is taken
 * whole or not at all. A server that permits no transactions gets the commands one by one.
 */
import type { RedisAnswer, RedisItem } from "./redis_link.ts";
import { passes } from "./passing_error.ts";
import { ReplyError } from "./resp_reader.ts";
import { RespWriter } from "./resp_writer.ts";

const encoded = (name: string) => new RespWriter().command(name).bytes;
const [MULTI, EXEC, ASKING] = ["MULTI", "EXEC", "ASKING"].map(encoded);
const DISCARDED = "EXECABORT Transaction discarded because of: ";
/** In `#next`; the first item is the next of none. */
const END = 0;

export interface RunsOptions {
  /** Runs of several as transactions. */
  readonly atomic: boolean;
  /** To a node that is only about to get the slots. */
  readonly asking: boolean;
}

export class ChannelRuns<Item extends RedisItem> {
  /** The first item of each run. */
  readonly heads: number[] = [];
  readonly #next: Int32Array;

  constructor(readonly items: readonly Item[], indices: readonly number[], readonly options: RunsOptions) {
    this.#next = new Int32Array(items.length);
    const runs = new Map<string, number>();
    const tails: number[] = [];
    for (const i of indices) {
      const { channel } = items[i];
      const run = channel === undefined ? undefined : runs.get(channel);
      if (run !== undefined) {
        this.#next[tails[run]] = i;
        tails[run] = i;
        continue;
      }
      if (channel !== undefined) runs.set(channel, this.heads.length);
      this.heads.push(i);
      tails.push(i);
    }
  }
  /** The item behind this one in its run; undefined at the end. */
  after(i: number): number | undefined {
    const next = this.#next[i];
    return next === END ? undefined : next;
  }
  write(commands: RespWriter, append: (commands: RespWriter, item: Item) => void): void {
    const { atomic, asking } = this.options;
    for (const head of this.heads) {
      const is_transaction = atomic && this.#next[head] !== END;
      if (is_transaction) {
        if (asking) commands.encoded(ASKING);
        commands.encoded(MULTI);
      }
      for (let i: number | undefined = head; i !== undefined; i = this.after(i)) {
        if (asking && !is_transaction) commands.encoded(ASKING);
        append(commands, this.items[i]);
      }
      if (is_transaction) commands.encoded(EXEC);
    }
  }
  /** Puts what came back for each item in its place. Returns why transactions are not to be had, if that showed. */
  read(given: readonly RedisAnswer[], answers: RedisAnswer[]): Error | undefined {
    const { atomic, asking } = this.options;
    let unusable: Error | undefined;
    let at = 0;
    for (const head of this.heads) {
      if (atomic && this.#next[head] !== END) {
        if (asking) at++;
        const [error] = given[at++];
        for (let i: number | undefined = head; i !== undefined; i = this.after(i)) answers[i] = given[at++];
        const end = given[at++];
        // Without MULTI the commands were done one by one and have their own answers.
        if (error === null) unusable = this.#readTransaction(head, end, answers) ?? unusable;
        else if (!passes(error)) unusable = error;
        continue;
      }
      for (let i: number | undefined = head; i !== undefined; i = this.after(i)) {
        if (asking) at++;
        answers[i] = given[at++];
      }
    }
    return unusable;
  }

  #readTransaction(
    head: number,
    [failure, results]: RedisAnswer,
    answers: RedisAnswer[],
  ): Error | undefined {
    if (failure === null && Array.isArray(results)) {
      let k = 0;
      for (let i: number | undefined = head; i !== undefined; i = this.after(i)) {
        const result = results[k++];
        answers[i] = result instanceof ReplyError ? [result] : [null, result];
      }
      return undefined;
    }
    let own: Error | undefined;
    for (let i: number | undefined = head; i !== undefined && !own; i = this.after(i)) {
      own = answers[i][0] ?? undefined;
    }
    const cause = own ?? causeOf(failure);
    const is_passing = passes(cause);
    // What EXEC is refused for, and what another item is, is no fault of these: they are to be tried again.
    const common: RedisAnswer = [is_passing ? cause : new Error(`not taken with others: ${cause.message}`)];
    for (let i: number | undefined = head; i !== undefined; i = this.after(i)) {
      if (answers[i][0] === null) answers[i] = common;
    }
    return own !== undefined || is_passing ? undefined : cause;
  }
}

function causeOf(failure: Error | null): Error {
  if (failure === null) return new Error("no answer to EXEC that makes sense");
  const { message } = failure;
  return message.startsWith(DISCARDED) ? new ReplyError(message.slice(DISCARDED.length)) : failure;
}
