/**
 * What makes a mock one venue: how clients are understood and answered, what a happening is in the venue's words, what
 * REST answers. All else (sockets, pace, faults, slow clients, statistics) is the stage's and the same for all.
 * Sequence numbers and checksums are taken in `render`, per subscription or connection as the venue does; faults act
 * after that, as a network would.
 */
import type { Timer } from "../../base/clock.ts";
import type { MarketState } from "../mock.ts";
import type { CorruptionWords } from "./corruption.ts";
import type { StageItem, Tape } from "./tape.ts";
import type { WireFrame } from "./wire_frame.ts";

/** A string is a text frame, bytes are a binary one. */
export type Payload = string | Uint8Array | WireFrame;
export type Output = Payload | readonly Payload[] | undefined;

/** One stream of one connection. */
export interface Subscription<Item extends StageItem> {
  /** The venue's name of it, unique on the connection. Faults are drawn by it. */
  readonly name: string;
  /** As in the items. */
  readonly symbol: string;
  /** Kinds of items it carries; none: acknowledged and silent for ever. */
  readonly kinds: readonly Item["kind"][];
  /** What is sent when it begins: an in-band snapshot. */
  opening?(): Output;
  /** The item in the venue's words. Called once per item, in order, also when a fault then loses what it returns. */
  render(item: Item): Output;
}

/** The server's end of one client connection, as the dialect uses it. */
export interface Line<Item extends StageItem> {
  readonly subscriptions: ReadonlyMap<string, Subscription<Item>>;
  /** Sends an answer or a heartbeat, in order with the streams; only a stall holds it back. */
  answer(payload: string | Uint8Array): void;
  /** Begins a stream: its opening goes out now, what happens from now on follows. One of that name is replaced. */
  subscribe(subscription: Subscription<Item>): void;
  /** False: there was none of that name. */
  unsubscribe(name: string): boolean;
  /** Wall time, milliseconds. */
  now_ms(): number;
  /** Ends with the connection. */
  every(period_ms: number, callback: () => void): Timer;
  /** Says good-bye with a WebSocket close code. */
  close(code: number, reason: string): void;
}

/** What the dialect keeps of one connection. */
export interface Conversation {
  /** The connection is open: greet, subscribe what the path asked for. */
  begin?(): void;
  /** A message of the client. Malformed ones get the venue's own error. */
  receive(text: string): void;
  /** What the venue says before it closes for good. */
  farewell?(): string | undefined;
}

/** A path that the venue serves. */
export interface Entry<Item extends StageItem> {
  /** Connections of one route are numbered among themselves; "" where there is but one. */
  readonly route: string;
  converse(line: Line<Item>): Conversation;
}

export interface ConnectionRules {
  readonly max_client_messages_per_s: number;
  /** Server pings; absent: none. */
  readonly ping?: { readonly interval_ms: number; readonly pong_timeout_ms: number };
  /** A connection without a subscription is closed after this. */
  readonly subscribe_within_ms?: number;
  /** A client that says nothing for this long is closed. */
  readonly max_client_silence_ms?: number;
  /** Default 24 h. */
  readonly lifetime_ms?: number;
}

export interface Answer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

/** A good REST request, ready to be answered once the desk has taken its weight and drawn its fault. */
export interface RestRequest {
  /** Default 1. */
  weight?: number;
  /** It asks for a snapshot of this book: it waits until there is one, and faults may delay, age or refuse it. */
  snapshot_of?: string;
  /** The body. Called when it is due. */
  answer(): string;
}

export interface RestRules {
  /** Absent: no budget. */
  readonly weight_per_minute?: number;
  /** What a GET asks for, or the venue's refusal. */
  request(url: URL): RestRequest | Answer;
  /** A refusal in the venue's words; status and Retry-After are the desk's. */
  refusal(status: 405 | 429 | 418 | 503): string;
  /** Headers of a good answer. */
  headers?(used_weight: number): Record<string, string>;
}

/** A venue with its market, ready to be staged. */
export interface Program<Item extends StageItem> {
  readonly name: string;
  readonly tape: Tape<Item>;
  readonly rules: ConnectionRules;
  readonly words: CorruptionWords;
  readonly rest?: RestRules;
  /** An audience on each of these starts a waiting tape at once; absent: it starts a delay after the last subscription. */
  readonly start_routes?: readonly string[];
  /** Whether this subscription sets a waiting tape going. */
  starts(subscription: Subscription<Item>): boolean;
  /** Undefined: the venue has no such path. */
  enter(path: string): Entry<Item> | undefined;
  /** Takes the item into the venue's state. False: nothing for subscribers. */
  take(item: Item): boolean;
  /** The id that a snapshot of a symbol would carry now; 0 before the first. */
  lastId(symbol: string): number;
  /** The whole state of a symbol; undefined for one that is not served. */
  state(symbol: string): MarketState | undefined;
  /** Resolves when REST may answer with this book; undefined when it may. */
  whenBook(symbol: string): Promise<void> | undefined;
  /** What a tape at full speed should wait for before it goes on. */
  holdUntil?(): Promise<unknown> | undefined;
  /** After the end of a finite tape: what is said again now and then, so that who comes late learns it. */
  encore?(): readonly Item[];
  /** Breaks in a recording's own id chains. */
  readonly gaps: number;
}
