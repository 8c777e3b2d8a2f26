/**
 * A worker's pool across threads. The worker posts what it holds and its largest clients a few times a second; the main
 * thread's guard works on that snapshot and posts back pressure and evictions. What was asked to go counts as gone at
 * once, until a snapshot made after the word arrived says better. Bounds: a snapshot names at most 16 clients a class.
 */
import type { Clock } from "../../base/clock.ts";
import type { GuardedClient, GuardedPool, PoolMeasure, PressureStep } from "../memory_guard.ts";

/** A MessagePort, a Worker or a worker's own scope: what can be spoken through. */
export interface PoolPort {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

const SNAPSHOT_MS = 50;
const NAMED_PER_CLASS = 16;
/** Tenants named in a snapshot, the largest holders. */
const MAX_TENANTS = 1_000;

interface Snapshot {
  readonly pool: "snapshot";
  /** The last word that the worker had heard when it made this. */
  readonly heard: number;
  readonly measure: PoolMeasure;
  readonly clients: readonly { id: string; priority: number; tenant: string; held_bytes: number }[];
  readonly tenants: readonly (readonly [string, number])[];
}
type Word =
  | { readonly pool: "pressure"; readonly number: number; readonly step: PressureStep }
  | { readonly pool: "evict"; readonly number: number; readonly id: string }
  | { readonly pool: "collect"; readonly number: number };

/**
 * In the worker: shows its pool through the port and does what it is told; `collect` collects its garbage. Returns how to
 * stop.
 */
export function servePool(
  pool: GuardedPool,
  port: PoolPort,
  clock: Clock,
  collect: () => void = () => {},
): () => void {
  let heard = 0;
  const show = () => {
    const clients = pool.candidates(NAMED_PER_CLASS)
      .map(({ id, priority, tenant, held_bytes }) => ({ id, priority, tenant, held_bytes }));
    const tenants = [...pool.tenantBytes()].sort((a, b) => b[1] - a[1]).slice(0, MAX_TENANTS);
    port.postMessage(
      { pool: "snapshot", heard, measure: pool.measure(), clients, tenants } satisfies Snapshot,
    );
  };
  const onMessage = ({ data }: MessageEvent) => {
    const word = data as Word;
    if (word?.pool === "pressure") pool.setPressure(word.step);
    else if (word?.pool === "collect") collect();
    else if (word?.pool === "evict") {
      // A client that shrank meanwhile is not among the largest any more: then it may stay.
      pool.candidates(NAMED_PER_CLASS).find(({ id }) => id === word.id)?.evict();
    } else return;
    heard = word.number;
  };
  port.addEventListener("message", onMessage);
  const showing = clock.every(SNAPSHOT_MS, show);
  show();
  return () => {
    showing.cancel();
    port.removeEventListener("message", onMessage);
  };
}

/** In the main thread: a worker's pool, as of its last snapshot. */
export class WorkerPool implements GuardedPool, Disposable {
  #snapshot: Snapshot | undefined;
  /** Told to go, by id: the word's number and what should come free. */
  readonly #leaving = new Map<string, { number: number; client_bytes: number; unique_bytes: number }>();
  #number = 0;

  constructor(readonly name: string, readonly port: PoolPort) {
    port.addEventListener("message", this.#onMessage);
  }
  measure(): PoolMeasure {
    let { client_bytes, unique_bytes, clients } = this.#snapshot?.measure ??
      { client_bytes: 0, unique_bytes: 0, clients: 0 };
    for (const leaving of this.#leaving.values()) {
      client_bytes -= leaving.client_bytes;
      unique_bytes -= leaving.unique_bytes;
      clients--;
    }
    return {
      client_bytes: Math.max(0, client_bytes),
      unique_bytes: Math.max(0, unique_bytes),
      clients: Math.max(0, clients),
    };
  }
  candidates(): readonly GuardedClient[] {
    return (this.#snapshot?.clients ?? [])
      .filter(({ id }) => !this.#leaving.has(id))
      .map((client) => ({ ...client, evict: () => this.#evict(client) }));
  }
  tenantBytes(): ReadonlyMap<string, number> {
    return new Map(this.#snapshot?.tenants);
  }
  setPressure(step: PressureStep): void {
    this.port.postMessage({ pool: "pressure", number: ++this.#number, step } satisfies Word);
  }
  collect(): void {
    this.port.postMessage({ pool: "collect", number: ++this.#number } satisfies Word);
  }
  [Symbol.dispose](): void {
    this.port.removeEventListener("message", this.#onMessage);
    this.#snapshot = undefined;
    this.#leaving.clear();
  }

  #evict({ id, held_bytes }: { id: string; held_bytes: number }): void {
    if (this.#leaving.has(id) || this.#snapshot === undefined) return;
    const { client_bytes, unique_bytes } = this.#snapshot.measure;
    const own_part = client_bytes > 0 ? Math.min(1, unique_bytes / client_bytes) : 1;
    const number = ++this.#number;
    this.#leaving.set(id, { number, client_bytes: held_bytes, unique_bytes: held_bytes * own_part });
    this.port.postMessage({ pool: "evict", number, id } satisfies Word);
  }
  readonly #onMessage = ({ data }: MessageEvent) => {
    const snapshot = data as Snapshot;
    if (snapshot?.pool !== "snapshot") return;
    this.#snapshot = snapshot;
    for (const [id, { number }] of this.#leaving) if (snapshot.heard >= number) this.#leaving.delete(id);
  };
}
