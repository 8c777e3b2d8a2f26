/**
 * The way to Redis as a sender sees it, whatever stands behind: one server, the master that Sentinels name, or a Cluster.
 * A link keeps itself connected and never queues: what can't be sent or stays unanswered is told, one answer an item, and
 * the sender decides. In a Cluster items of one channel are taken in the order they were given, or come back in it.
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { RespWriter } from "./resp_writer.ts";

export type RedisTopology = "single" | "sentinel" | "cluster";

/** PEM texts; absent parts are the host's own. */
export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must bear, where it is not the host's. */
  readonly server_name?: string;
}

/** Where Redis is and who asks. */
export interface RedisAddress {
  readonly topology: RedisTopology;
  /** The server, or the first Sentinel, or a node of the Cluster. */
  readonly url: string;
  /** Further Sentinels or nodes, "host:port". */
  readonly nodes: readonly string[];
  readonly master_name: string;
  readonly username?: string;
  readonly password?: string;
  readonly sentinel_username?: string;
  readonly sentinel_password?: string;
  readonly tls?: RedisTls;
  readonly connect_timeout_ms: number;
  readonly command_timeout_ms: number;
  /** Each `send` waits until so many replicas have it, or tells `onFewReplicas`. Absent or 0: none. */
  readonly wait_replicas?: number;
  readonly wait_timeout_ms?: number;
}

export interface RedisContext {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly seed: string;
  /** Called when the link is usable, again after each break. */
  onReady(): void;
  /** What was sent is taken, but only so many replicas have it. */
  onFewReplicas?(count: number): void;
}

/** What came back for one item: an error reply, or why there was no answer; else the reply. */
export type RedisAnswer = readonly [error: Error | null, reply?: unknown];

/** One thing to send; `slot` is that of its key or channel. */
export interface RedisItem {
  readonly slot: number;
  /** The channel or stream whose items keep their order; absent: its order is the sender's business. */
  readonly channel?: string;
}

export interface RedisLink {
  readonly ready: boolean;
  /** Undefined when usable, else why not, without secrets. */
  notReady(): string | undefined;
  /** What an error says, without secrets. */
  reason(error: unknown): string;
  /** A slot of each server that holds keys, for commands that each must be asked (SCAN). */
  readonly slots: readonly number[];
  /**
   * Sends the one command that `append` adds for each item; one answer an item. Never rejects.
   */
  send<Item extends RedisItem>(
    items: readonly Item[],
    append: (commands: RespWriter, item: Item) => void,
  ): Promise<RedisAnswer[]>;
  close(): Promise<void>;
}
