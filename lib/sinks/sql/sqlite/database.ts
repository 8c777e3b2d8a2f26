/**
 * SQLite as a database of rows: the embedded default, one file and no server. The file is opened before anything starts,
 * so that a wrong path is told at once. A write that fails (disk full, locked by another) is told and tried again by the
 * queue before the sink, whose bound holds: there is no spool, it would lie on the same disk.
 */
import { resolve } from "node:path";
import { type Timer, withDeadline } from "../../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../../base/errors.ts";
import { RateLimitedLog } from "../../../base/log.ts";
import type { SinkContext } from "../../sink.ts";
import type { Database, RowGroup } from "../database.ts";
import type { TableName } from "../tables.ts";
import type { Answer, Request } from "./messages.ts";

/** A full batch takes a tenth of a second; a disk in trouble or a lock held by another much more. */
const ANSWER_DEADLINE_MS = 20_000;
const EXPIRE_PERIOD_MS = 60_000;
const DAY_MS = 86_400_000;

export interface SqliteOptions {
  readonly path: string;
  readonly retention_days: number | undefined;
  onRefused(table: TableName, count: number): void;
}

export class SqliteDatabase implements Database {
  readonly address: string;
  readonly #worker: Worker;
  readonly #expiring: Timer;
  /** Answers come in the order of requests. */
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  readonly #log: RateLimitedLog;
  #why: string | undefined;

  private constructor(readonly options: SqliteOptions, readonly context: SinkContext) {
    this.#log = new RateLimitedLog(context.log, context.clock);
    this.address = `sqlite:${resolve(options.path)}`;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#why = event.message;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(event.message));
    };
    this.#expiring = context.clock.every(EXPIRE_PERIOD_MS, () => void this.#expire());
  }
  /** Rejects with a UserError when the file can't be used. */
  static async open(options: SqliteOptions, context: SinkContext): Promise<SqliteDatabase> {
    const database = new SqliteDatabase(options, context);
    try {
      await database.#ask({ kind: "open", path: options.path });
    } catch (error) {
      database.#letGo();
      throw new UserError(
        `open SQLite file ${quoted(options.path, 200)}: ${reasonOf(error)}, want a file that can be written`,
        { cause: error },
      );
    }
    return database;
  }
  notReady(): string | undefined {
    return this.#why === undefined ? undefined : `${this.address} is not usable: ${this.#why}`;
  }
  async write(groups: readonly RowGroup[]): Promise<void> {
    try {
      const { refused } = await this.#ask({ kind: "write", groups });
      for (const { table, count, reason, row } of refused ?? []) {
        this.options.onRefused(table, count);
        this.#log.warn("refused", "SQLite refused rows", { table, count, reason, row: row.slice(0, 200) });
      }
    } catch (error) {
      throw new Error(`write to ${this.address}: ${explain(reasonOf(error))}`, { cause: error });
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask({ kind: "close" }).catch(() => {});
    this.#letGo();
  }

  #letGo(): void {
    this.#expiring.cancel();
    this.#worker.terminate();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("closed"));
  }
  async #ask(request: Request): Promise<Answer & { ok: true }> {
    const answered = new Promise<Answer>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#worker.postMessage(request);
    const { clock } = this.context;
    const answer = await withDeadline(clock, ANSWER_DEADLINE_MS, request.kind, answered);
    if (!answer.ok) throw new Error(answer.reason);
    return answer;
  }
  async #expire(): Promise<void> {
    const { retention_days } = this.options;
    if (retention_days === undefined) return;
    const { clock, log } = this.context;
    const before = new Date(clock.now_ms() - retention_days * DAY_MS).toISOString().slice(0, 10);
    try {
      let all = 0;
      for (let removed = -1; removed !== 0; all += removed) {
        removed = (await this.#ask({ kind: "expire", before })).removed ?? 0;
      }
      if (all > 0) log.info("rows past the retention removed", { before, rows: all });
    } catch (error) {
      log.warn("rows past the retention not removed", { reason: explain(reasonOf(error)) });
    }
  }
}

function explain(reason: string): string {
  if (/full|I\/O error/i.test(reason)) return `${reason}, want free space on the disk`;
  if (/readonly|read-only/i.test(reason)) return `${reason}, want a file and folder that can be written`;
  if (/locked|busy/i.test(reason)) return `${reason}, want no other long writer`;
  return reason;
}
