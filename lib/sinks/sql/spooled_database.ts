/**
 * A database with a spool before it. While the database takes rows they go straight there; from the first failure on
 * they go to the spool, and a loader brings them from there, in order, until the spool is empty. So nothing is lost while
 * it is away, and rows whose fate is unknown are written again, which their keys make harmless.
 */
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import type { SinkContext } from "../sink.ts";
import type { Database, RowGroup } from "./database.ts";
import type { Spool } from "./spool/spool.ts";

/** Rows of one transaction from the spool. */
const LOAD_ROWS = 5_000;
const RETRY = { first_ms: 50, max_ms: 2_000 };

export class SpooledDatabase implements Database {
  readonly address: string;
  readonly #log: RateLimitedLog;
  readonly #closing = new AbortController();
  #loading: Promise<void> | undefined;

  constructor(readonly database: Database, readonly spool: Spool, readonly context: SinkContext) {
    this.address = database.address;
    this.#log = new RateLimitedLog(context.log, context.clock);
    if (!spool.is_empty) this.#load();
  }
  /** Why rows go to the spool, if they do. */
  notReady(): string | undefined {
    const why = this.database.notReady();
    if (why === undefined && this.spool.is_empty) return undefined;
    const { count, bytes } = this.spool;
    return `${why ?? "loading from the spool"} (${count} rows, ${bytes} bytes in the spool)`;
  }
  /** Always: if even the disk says no, `write` rejects. */
  accepts(): boolean {
    return true;
  }
  async write(groups: readonly RowGroup[]): Promise<void> {
    if (this.spool.is_empty && this.database.notReady() === undefined) {
      try {
        return await this.database.write(groups);
      } catch (error) {
        this.#log.warn("write", "database did not take a write, rows go to the spool", {
          reason: reasonOf(error),
        });
      }
    }
    await this.spool.append(groups);
    this.#load();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#loading;
    await this.database[Symbol.asyncDispose]();
    if (!this.spool.is_empty) {
      const { count } = this.spool;
      this.context.log.warn("rows stay in the spool for the next start", { rows: count });
    }
    await this.spool.close();
  }

  #load(): void {
    this.#loading ??= this.#loadAll().finally(() => {
      this.#loading = undefined;
      // Rows may have come after the loader saw the spool empty and before it was gone.
      if (!this.spool.is_empty && !this.#closing.signal.aborted) this.#load();
    });
  }
  /** Ends when the spool is empty or the sink is closed. */
  async #loadAll(): Promise<void> {
    const { clock, log, seed, name } = this.context;
    const { signal } = this.#closing;
    const backoff = new Backoff(RETRY, new Random(`${seed}:${name}:load`));
    let rows = 0;
    while (!signal.aborted) {
      if (this.database.notReady() !== undefined) {
        await sleep(clock, backoff.next_ms(), signal);
        continue;
      }
      try {
        const loaded = await this.#loadSome();
        if (loaded === 0) break;
        rows += loaded;
        backoff.reset();
      } catch (error) {
        this.#log.warn("load", "rows of the spool not loaded", { reason: reasonOf(error) });
        await sleep(clock, backoff.next_ms(), signal);
      }
    }
    if (rows > 0 && this.spool.is_empty) log.info("spool loaded", { rows });
  }
  async #loadSome(): Promise<number> {
    const taken = await this.spool.take(LOAD_ROWS);
    if (taken === undefined) return 0;
    try {
      await this.database.write(taken.groups);
    } catch (error) {
      await taken.again();
      throw error;
    }
    await taken.loaded();
    return taken.groups.reduce((sum, { count }) => sum + count, 0);
  }
}
