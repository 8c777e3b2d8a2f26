/**
 * Marks: what happened beside the frames, in the order in which the gateway noticed it. With them a replay does at each
 * place what the live run did there; without them (captures of other tools) there are only frames.
 */

export type Mark =
  /** A connection was opened; frames name it by its number. Said again at the head of each segment while it lives. */
  | {
    mark: "opened";
    connection: number;
    source: string;
    venue: string;
    /** The gateway's name of it: "live/public/1#1". */
    id: string;
    url: string;
    leg: number;
    symbols: string[];
    channels: string[];
    /** Said again: it had been opened in an earlier segment. */
    again?: true;
  }
  | { mark: "closed"; connection: number; reason: string }
  /** The connection's mapper takes more symbols, or fewer. */
  | { mark: "symbols"; connection: number; add: string[]; remove: string[] }
  /** A source begins; said again at the head of each segment. `channels`: all that it hands on. */
  | {
    mark: "source";
    source: string;
    /** The number by which `taken` records name it. */
    number: number;
    venue: string;
    symbols: string[];
    channels: string[];
    legs: number;
    /** Its frames are records of a data set of this format, no venue's. */
    dataset?: string;
    /** Its batches are told by `taken` records; absent: nobody knows them. */
    batches?: true;
    again?: true;
  }
  /** Books of these symbols can't be current any more. */
  | { mark: "interrupted"; source: string; symbols: string[]; reason: string }
  | { mark: "trades_interrupted"; source: string; symbols: string[] }
  /** A frame was unreadable; something of these symbols' streams may be lost. */
  | { mark: "damage"; source: string; symbols: string[] }
  /** Redundant connections were looked at: what has waited too long goes on. */
  | { mark: "overlap_tick"; source: string; overlaps: boolean }
  /** The recorder itself could not keep up, or the disk was full: so much is missing before this place. */
  | { mark: "loss"; frames: number; bytes: number; from_ns: string; why: string };

export type SourceMark = Mark & { mark: "source" };

/**
 * A whole book at the place where it stands in the recording: its known levels as texts, best first. What lies beyond
 * them is unknown, unless the book is `whole`.
 */
export interface Checkpoint {
  source: string;
  symbol: string;
  last_id: number;
  exchange_ms?: number;
  sent_ms?: number;
  whole: boolean;
  bids: [string, string][];
  asks: [string, string][];
}
