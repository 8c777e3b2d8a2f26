/**
 * Commands out and answers in, in order, over one socket that is already let in by the server. Made for batches: one
 * write, one promise, however many commands; a client with a promise a command takes three times as long. What the
 * connection's end leaves unanswered is answered with why.
 */
import type { Socket } from "node:net";
import type { RedisAnswer } from "./redis_link.ts";
import { OK, QUEUED, ReplyError, RespReader } from "./resp_reader.ts";
import type { RespWriter } from "./resp_writer.ts";

interface Batch {
  readonly count: number;
  readonly answers: RedisAnswer[];
  readonly resolve: (answers: RedisAnswer[]) => void;
}

/** Answers that carry no news share one object. */
const TAKEN: RedisAnswer = [null, 1];
const AGREED: RedisAnswer = [null, OK];
const IN_TRANSACTION: RedisAnswer = [null, QUEUED];

export class RespExchange {
  readonly #waiting: Batch[] = [];
  #ended: Error | undefined;

  constructor(readonly socket: Socket) {
    const reader = new RespReader((reply) => this.#onReply(reply));
    socket.on("data", (chunk: Uint8Array) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.end(error as Error);
        socket.destroy();
      }
    });
    socket.on("close", () => this.end(new Error("connection closed before the answer")));
  }
  /** One answer a command. Never rejects. */
  send(commands: RespWriter): Promise<RedisAnswer[]> {
    if (this.#ended) return Promise.resolve(failed(commands.count, this.#ended));
    if (commands.count === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      this.#waiting.push({ count: commands.count, answers: [], resolve });
      this.socket.write(commands.bytes);
    });
  }
  /** Nothing comes any more: all that waits is answered with `why`. */
  end(why: Error): void {
    this.#ended ??= why;
    for (const { count, answers, resolve } of this.#waiting.splice(0)) {
      while (answers.length < count) answers.push([why]);
      resolve(answers);
    }
  }
  #onReply(reply: unknown): void {
    const [batch] = this.#waiting;
    if (batch === undefined) throw new Error("redis reply: one that nobody asked for");
    batch.answers.push(answerOf(reply));
    if (batch.answers.length < batch.count) return;
    this.#waiting.shift();
    batch.resolve(batch.answers);
  }
}

function answerOf(reply: unknown): RedisAnswer {
  if (reply === 1) return TAKEN;
  if (reply === QUEUED) return IN_TRANSACTION;
  if (reply === OK) return AGREED;
  return reply instanceof ReplyError ? [reply] : [null, reply];
}

/** The same failure for so many commands. */
export function failed(count: number, error: Error): RedisAnswer[] {
  return Array.from({ length: count }, () => [error]);
}
