/**
 * The frames a venue brings for its conformance tests: fixtures/feeds/<venue>/frames.ndjson, and what each must become:
 * events.json. A line has a note and one of `frame` (sent as JSON), `text` (as it stands), `base64` (binary), `snapshot`
 * (the body of a REST answer for `symbol`). `follows`: the same connection received the line before it, so one mapper
 * reads both. Lines that follow each other are a run; each run is a connection of its own.
 */
import type { Feed, Mapper } from "../../lib/feeds/feed.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { plainEvent } from "../lib/feeds/plain_event.ts";

export interface FixtureFrame {
  note: string;
  bytes: Uint8Array;
  /** Set for the body of a REST snapshot. */
  snapshot_of?: string;
  /** Read by the mapper that read the frame before it. */
  follows: boolean;
}
export interface FrameResult {
  note: string;
  outcome: Record<string, unknown>;
  events: Record<string, unknown>[];
}

export const RECEIVED_US = 1_793_628_600_110_000;

const folder = (venue: string) => new URL(`../../fixtures/feeds/${venue}/`, import.meta.url);

export function fixtureFrames(venue: string): FixtureFrame[] {
  const lines = Deno.readTextFileSync(new URL("frames.ndjson", folder(venue))).trimEnd().split("\n");
  const encoder = new TextEncoder();
  return lines.map((line) => {
    const { note, frame, text, base64, snapshot, symbol, follows = false } = JSON.parse(line);
    const bytes = base64 === undefined
      ? encoder.encode(text ?? JSON.stringify(frame ?? snapshot))
      : Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return { note, bytes, snapshot_of: snapshot === undefined ? undefined : symbol, follows };
  });
}
export function fixtureEvents(venue: string): FrameResult[] {
  return JSON.parse(Deno.readTextFileSync(new URL("events.json", folder(venue))));
}
export function fixtureReadme(venue: string): string {
  return Deno.readTextFileSync(new URL("README.md", folder(venue)));
}

/** The frames by connection. */
export function runsOf(frames: readonly FixtureFrame[]): FixtureFrame[][] {
  const runs: FixtureFrame[][] = [];
  for (const frame of frames) {
    if (frame.follows) runs.at(-1)!.push(frame);
    else runs.push([frame]);
  }
  return runs;
}

/** What a feed makes of fixture frames, as plain data. */
export function resultsOf(feed: Feed, frames: readonly FixtureFrame[]): FrameResult[] {
  return runsOf(frames).flatMap((run) => {
    const mapper = feed.createMapper();
    return run.map((frame) => resultOf(feed, mapper, frame));
  });
}
function resultOf(feed: Feed, mapper: Mapper, { note, bytes, snapshot_of }: FixtureFrame): FrameResult {
  const batch = new EventBatch();
  let outcome: Record<string, unknown>;
  if (snapshot_of !== undefined) {
    const refused = feed.snapshot!.parse(bytes, snapshot_of, RECEIVED_US, batch);
    outcome = refused === undefined ? { kind: "events" } : { kind: "refused", why: refused };
  } else {
    outcome = { ...mapper.map(bytes, RECEIVED_US, batch) };
  }
  for (const key of Object.keys(outcome)) if (outcome[key] === undefined) delete outcome[key];
  return { note, outcome, events: batch.events.map(plainEvent) };
}
