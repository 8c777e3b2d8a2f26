/** One Worker with clients as the main thread holds it: what it asks is answered, what it reports is kept, its end is told. */
import { UserError } from "../../../base/errors.ts";
import type { Hub } from "../../../flow/hub.ts";
import { WorkerPool } from "../../../flow/memory_guard/pool_port.ts";
import { WorkerSessions } from "../../../flow/session_registry/session_port.ts";
import { serveLedger } from "../../access/port_ledger.ts";
import type { QuotaLedger } from "../../access/quota_ledger.ts";
import type { MarketSide } from "../market/market_side.ts";
import { ReportedMetrics } from "./metrics_report.ts";
import type { RingInbox } from "./ring_words.ts";
import type { FromWorker, ToWorker } from "./worker_words.ts";

export class EdgeThread {
  readonly #worker: Worker;
  readonly #metrics: ReportedMetrics;
  /** Streams that this Worker wants: closed when it dies. */
  readonly #open = new Set<number>();
  readonly #stops: (() => void)[];
  readonly #ready = Promise.withResolvers<string>();
  readonly #closed = Promise.withResolvers<void>();
  #over = false;

  constructor(
    readonly number: number,
    readonly hub: Hub,
    readonly market: MarketSide,
    readonly inbox: RingInbox,
    ledger: QuotaLedger | undefined,
    readonly onDeath: (reason: string) => void,
  ) {
    const worker = this.#worker = new Worker(new URL("./edge_worker.ts", import.meta.url), {
      type: "module",
    });
    this.#metrics = new ReportedMetrics(hub.metrics);
    worker.addEventListener("message", ({ data }: MessageEvent) => this.#onWord(data as FromWorker));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#die(event.message);
    });
    const name = `${market.name}-worker-${number}`;
    const pool = new WorkerPool(name, worker);
    const unpool = hub.memory?.addPool(pool);
    const sessions = hub.sessions && new WorkerSessions(name, worker, hub.sessions);
    const unserve = ledger && serveLedger(worker, ledger);
    this.#stops = [
      () => unpool?.(),
      () => pool[Symbol.dispose](),
      () => sessions?.[Symbol.dispose](),
      () => unserve?.(),
    ];
  }
  /** Resolves with the address it listens on. Rejects with a UserError when it can't. */
  start(word: Extract<ToWorker, { edge: "start" }>): Promise<string> {
    this.#say(word);
    return this.#ready.promise;
  }
  /** Its clients are told and let go; resolves when they are. */
  close(): Promise<void> {
    this.#say({ edge: "close" });
    return this.#closed.promise;
  }
  terminate(): void {
    if (this.#over) return;
    this.#over = true;
    this.#worker.terminate();
    for (const stop of this.#stops) stop();
    this.#metrics.end();
    for (const stream of this.#open) this.market.close(stream);
    this.#open.clear();
  }

  #say(word: ToWorker): void {
    this.#worker.postMessage(word);
  }
  #die(reason: string): void {
    if (this.#over) return;
    this.terminate();
    this.#ready.reject(new UserError(`start a worker with clients: ${reason}`));
    // Nobody may be waiting for it any more.
    this.#ready.promise.catch(() => {});
    this.#closed.resolve();
    this.onDeath(reason);
  }
  #onWord(word: FromWorker): void {
    if (this.#over) return;
    switch (word.edge) {
      case "ready":
        return this.#ready.resolve(word.address);
      case "failed":
        return this.#ready.reject(new UserError(word.reason, { hint: word.hint, code: word.code }));
      case "closed":
        return this.#closed.resolve();
      case "log":
        return this.hub.log[word.level](word.message, word.fields);
      case "metrics":
        return this.#metrics.take(word.report);
      case "lapped":
        return this.#answer(() => {
          this.inbox.retelling(this.market.instruments);
          this.market.retell(word.streams);
        });
      case "open":
        this.#open.add(word.of);
        return this.#answer(() => this.market.open(word.of));
      case "close_stream":
        this.#open.delete(word.of);
        return this.market.close(word.of);
      case "tell_snapshot":
        return this.#answer(() => this.market.tellSnapshot(word.of));
      case "tell_status":
        return this.#answer(() => this.market.tellStatus(word.of));
      case "refresh":
        // News of instruments are for all; the end of it for who asked.
        this.market.compare();
        return this.#answer(() => this.inbox.refreshed());
    }
  }
  /** What is said meanwhile is for this Worker alone. */
  #answer(speak: () => void): void {
    this.inbox.to = this.number;
    try {
      speak();
    } finally {
      this.inbox.to = 0;
    }
    this.inbox.flush();
  }
}
