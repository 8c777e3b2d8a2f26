/**
 * Opens recordings for playing: finds what sources they hold and makes each a source again. A source of the same name
 * and venue in several recordings is one: a recording that was begun anew in another folder goes on in it.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { isRecording } from "../../formats/recording/lines.ts";
import { openRecords, type Records } from "../../formats/recording/open_records.ts";
import type { SourceMark } from "../../formats/recording/mark.ts";
import { DATASET_FEEDS, type ReplayFeed } from "../dataset/dataset_feeds.ts";
import { DbnRecords } from "../dataset/dbn_records.ts";
import { TardisRecords } from "../dataset/tardis_records.ts";
import { recogniseVenue } from "../capture/recognise_venue.ts";
import type { SourceContext } from "../source.ts";
import { type PlayerOptions, ReplayPlayer } from "./player.ts";
import { ReplayClock } from "./replay_clock.ts";
import { ReplayPart, type ReplayPartOptions } from "./replay_part.ts";

export interface ReplayOptions {
  paths: readonly string[];
  /** Of captures of other tools; else recognised from their frames. */
  venue?: string;
  /** Market seconds a second; Infinity: as fast as it goes. */
  speed: number;
  from_us?: number;
  to_us?: number;
  symbols: readonly string[];
  stays: boolean;
  /** The operator has the venue's agreement to hand its data on. */
  may_redistribute?: boolean;
  throttle?: PlayerOptions["throttle"];
  /** What else the part of this source is to tell. */
  listen?(mark: SourceMark): Pick<ReplayPartOptions, "heard" | "marked">;
}

export interface Replay {
  player: ReplayPlayer;
  parts: readonly ReplayPart[];
  records: readonly Records[];
}

/** @throws UserError when a path holds nothing that can be played */
export async function openReplay(options: ReplayOptions, context: SourceContext): Promise<Replay> {
  const records: Records[] = [];
  for (const path of options.paths) {
    records.push(
      await openDataset(path) ?? await openRecords(path, await venueToSay(path, options, context)),
    );
  }
  const clock = new ReplayClock(context.clock);
  const { speed, from_us, to_us, throttle } = options;
  const player = new ReplayPlayer({ records, clock, host: context.clock, speed, from_us, to_us, throttle });
  const marks = await sourcesOf(records);
  const parts: ReplayPart[] = [];
  for (const mark of marks) {
    const feed = feedOf(mark, context);
    if (feed === undefined) {
      throw new UserError(`replay source ${quoted(mark.source)}: venue ${quoted(mark.venue)} is unknown`);
    }
    const name = marks.length === 1 ? context.name : `${context.name}/${mark.source}`;
    const part = new ReplayPart({
      mark,
      feed,
      clock,
      context: { ...context, name },
      ...options.listen?.(mark),
      symbols: new Set(options.symbols.map((symbol) => feed.symbol(symbol))),
      stays: options.stays,
      may_redistribute: options.may_redistribute === true,
      isPatient: () => player.pace.speed === Infinity,
      started: () => player.started(),
      stopped: () => player.stop(),
    });
    player.add(mark.source, part);
    parts.push(part);
  }
  return { player, parts, records };
}

function feedOf(
  { dataset, venue }: SourceMark,
  { feeds }: SourceContext,
): ReplayFeed | undefined {
  if (dataset !== undefined) return DATASET_FEEDS[dataset]?.(venue);
  return Object.hasOwn(feeds, venue) ? feeds[venue] : undefined;
}
/** A file of Databento or Tardis; undefined when it is something else. */
async function openDataset(path: string): Promise<Records | undefined> {
  if (await isRecording(path) || !await isFile(path)) return undefined;
  return await DbnRecords.open(path) ?? await TardisRecords.open(path);
}
async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
/** Captures do not say their venue. */
async function venueToSay(
  path: string,
  { venue }: ReplayOptions,
  context: SourceContext,
): Promise<string | undefined> {
  if (await isRecording(path)) return undefined;
  return venue ?? await venueOf(path, context);
}

async function venueOf(path: string, { feeds }: SourceContext): Promise<string> {
  const found = await recogniseVenue(path, Object.values(feeds));
  if (found !== undefined) return found;
  throw new UserError(
    `recognise the venue of ${quoted(path, 200)}: no known depth frame among its first lines`,
    {
      hint: `say the venue, one of ${Object.keys(feeds).join(", ")}`,
    },
  );
}

/** One mark a source; symbols of all its segments together. */
async function sourcesOf(records: readonly Records[]): Promise<SourceMark[]> {
  const found = new Map<string, SourceMark>();
  for (const one of records) {
    for (const mark of await one.sources()) {
      const known = found.get(mark.source);
      if (known && known.venue !== mark.venue) {
        throw new UserError(
          `replay source ${
            quoted(mark.source)
          }: it is of ${known.venue} and of ${mark.venue}, want one venue`,
        );
      }
      const symbols = [...new Set([...known?.symbols ?? [], ...mark.symbols])];
      found.set(mark.source, { ...mark, symbols });
    }
  }
  if (found.size === 0) throw new UserError("replay: the recording holds no source");
  return [...found.values()];
}
