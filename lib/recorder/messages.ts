/** What the recorder asks of its Worker, and what that says: plain data, one after the other. */
import type { SegmentContent } from "../formats/recording/certificate.ts";

/** What happens when the disk takes no more. `wait`: kept while there is room in memory, then dropped and named. */
export type FullPolicy = "wait" | "delete-oldest" | "stop";

export interface Keep {
  /** Segments kept, the present one among them; absent: all. */
  segments?: number;
  /** Bytes kept, the present segment among them. */
  bytes?: number;
  /** How long a segment is kept after its end, milliseconds. */
  age_ms?: number;
}

export interface OpenRequest {
  kind: "open";
  directory: string;
  recording: string;
  segment: number;
  /** The chain's end in the segment before, hex. */
  previous: string;
  mdg: string;
  keep: Keep;
  on_full: FullPolicy;
  sync_ms: number;
}
export interface BlockRequest {
  kind: "block";
  buffer: ArrayBuffer;
  length: number;
  records: number;
  first_s: number;
  first_ns: number;
  last_s: number;
  last_ns: number;
}
export type Request =
  | OpenRequest
  | BlockRequest
  /** The present segment ends and the next begins. */
  | { kind: "rotate"; content: SegmentContent }
  | { kind: "close"; content: SegmentContent };

export type Answer =
  | { kind: "opened" }
  | { kind: "written"; buffer: ArrayBuffer; segment: number; segment_bytes: number; packed_bytes: number }
  | { kind: "trouble"; reason: string }
  | { kind: "fine" }
  | { kind: "deleted"; name: string; why: string }
  | { kind: "closed" }
  /** It is over; nothing more is written. */
  | { kind: "failed"; reason: string };
