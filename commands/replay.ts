/**
 * `mdg replay`: plays recordings on the command line. What a gateway would publish, or the frames themselves, goes to
 * stdout; what was played is said on stderr. As a source of `mdg run` it is `kind: replay`, as a venue `mdg mock --capture`.
 */
import { quoted, reasonOf, UserError } from "../lib/base/errors.ts";
import { Metrics } from "../lib/base/metrics.ts";
import { parseSpeed } from "../lib/cli/quantities.ts";
import { defineCommand, type ExitCode, type World } from "../lib/cli/command.ts";
import type { Replay, ReplayOptions } from "../lib/sources/replay/open_replay.ts";
import type { SourceContext } from "../lib/sources/source.ts";
import type { MarketUpdate } from "../lib/market/update.ts";
import { EXPORT_FORMATS, ExportTables } from "./replay/export_tables.ts";
import { KEYS_HELP, replayKeys } from "./replay/keys.ts";
import { UpdateLines } from "./replay/update_lines.ts";

export const replay = defineCommand({
  summary: "Play recordings: their updates or their frames, at any speed",
  description:
    "Plays a folder of `mdg record`, a segment of one, captures of `<ns> <frame>` lines, Databento DBN files and " +
    "Tardis CSV or NDJSON; several are merged by receive time. Prints what a gateway would publish, one JSON a line, or the frames in the plain form. Two runs " +
    "print the same bytes. On a terminal: " + KEYS_HELP + ".",
  arguments: [{ name: "RECORDING", doc: "folder, segment or capture", required: true, many: true }],
  flags: {
    speed: {
      type: "text",
      value: "max|N",
      default: "max",
      doc: "market seconds a second, paced by receive time",
    },
    from: { type: "text", value: "TIME", doc: "where to begin: ISO 8601 or digits of Unix time" },
    to: { type: "text", value: "TIME", doc: "where to end" },
    symbols: { type: "list", value: "SYMBOL", doc: "only these; default all" },
    venue: { type: "text", value: "VENUE", doc: "of captures; recognised from their frames when absent" },
    output: {
      type: "text",
      value: "WHAT",
      choices: ["updates", "frames", "none"],
      default: "updates",
      doc: "updates as NDJSON, frames as `<ns> <frame>` lines, or none",
    },
    depth: {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      max: 5_000,
      default: 20,
      doc: "levels a side of printed books",
    },
    export: {
      type: "text",
      value: "DIR",
      doc: "instead of printing: tables of trades, quotes and books as files there",
    },
    format: {
      type: "text",
      value: "FORMAT",
      choices: EXPORT_FORMATS,
      default: "parquet",
      doc: "of exported tables",
    },
    serve: {
      type: "text",
      value: "HOST:PORT",
      doc:
        "instead of printing: be the venue, word for word, for a client that talks as the recorded one did",
    },
    report: {
      type: "boolean",
      doc: "instead of printing updates: how long they take from receipt to a queued payload",
    },
    "report-page": { type: "text", value: "FILE", doc: "the report as an HTML page, too" },
  },
  examples: [
    { command: "mdg replay recordings --output none", doc: "how fast it goes" },
    {
      command: "mdg replay recordings --speed 1 --from 2026-11-30T14:00:00Z | jq .payload",
      doc: "as it was",
    },
    {
      command: "mdg replay glbx.mbo.dbn.zst --export tables --format csv",
      doc: "Databento, or Tardis, into tables",
    },
    {
      command: "mdg replay recordings --serve 127.0.0.1:7070",
      doc: "the venue again; point ws_url of a source there",
    },
    {
      command: "mdg replay recordings --speed 1 --report-page latency.html",
      doc: "receipt to queued payload: percentiles, and a page with curves",
    },
    {
      command: "mdg replay monday tuesday --output frames | gzip > both.gz",
      doc: "the plain form of other tools",
    },
  ],
  async run(world, flags, paths) {
    const { timeOf } = await import("../lib/sources/replay/player.ts");
    const options: ReplayOptions = {
      paths,
      venue: flags.venue,
      speed: parseSpeed(flags.speed),
      from_us: flags.from === undefined ? undefined : timeOf("--from", flags.from),
      to_us: flags.to === undefined ? undefined : timeOf("--to", flags.to),
      symbols: flags.symbols ?? [],
      stays: false,
    };
    if (flags.serve !== undefined) return await serveRecorded(world, options, flags.serve);
    if (flags.output === "frames") return await playPlain(world, options);
    if (flags.export !== undefined) {
      const tables = await ExportTables.open(
        flags.export,
        EXPORT_FORMATS.find((one) => one === flags.format)!,
      );
      return await playUpdates(world, options, tables);
    }
    if (flags.report || flags["report-page"] !== undefined) {
      return await playReport(world, options, flags.depth, flags["report-page"]);
    }
    const lines = flags.output === "none"
      ? undefined
      : new UpdateLines(flags.depth, (text) => world.stdout(text));
    return await playUpdates(world, options, lines);
  },
});

/** Who takes the updates; absent: nobody. */
async function playUpdates(
  world: World,
  options: ReplayOptions,
  taker: Taker | undefined,
): Promise<ExitCode> {
  const [{ openReplay }, { playThrough }] = await Promise.all([
    import("../lib/sources/replay/open_replay.ts"),
    import("../lib/sources/replay/play_through.ts"),
  ]);
  const context = await contextOf(world);
  const replay = await openReplay({ ...options, throttle: () => taker?.throttle() }, context);
  taker?.watch?.(replay);
  const stop = new AbortController();
  const signal = AbortSignal.any([world.signal, stop.signal]);
  const giveBack = options.speed === Infinity && taker !== undefined
    ? () => {}
    : replayKeys(world, replay.player, () => stop.abort());
  const started_ms = world.clock.monotonic_ms();
  let updates = 0;
  try {
    await playThrough(replay, context, {
      publish(update) {
        updates++;
        taker?.publish(update);
      },
      flush: () => taker?.flush?.(),
    }, signal);
    await replay.player.finished();
  } finally {
    await taker?.close();
    giveBack();
  }
  const seconds = (world.clock.monotonic_ms() - started_ms) / 1_000;
  const frames = replay.parts.reduce((sum, part) => sum + part.frames, 0);
  const strays = replay.parts.reduce((sum, part) => sum + part.strays, 0);
  const trouble = replay.records.flatMap((one) => one.trouble);
  summarise(world, { frames, updates, strays, ...taker?.rows, seconds }, trouble);
  return trouble.length > 0 ? 1 : 0;
}

async function playReport(
  world: World,
  options: ReplayOptions,
  depth: number,
  page: string | undefined,
): Promise<ExitCode> {
  const [{ LatencyReport, reportJson }, { latencyPage }] = await Promise.all([
    import("./replay/latency_report.ts"),
    import("./replay/latency_page.ts"),
  ]);
  const report = new LatencyReport(world.clock, new Metrics(), depth);
  const code = await playUpdates(world, options, report);
  const figures = report.figures();
  await world.stdout(reportJson(figures) + "\n");
  if (page !== undefined) await writePage(page, latencyPage(options.paths.join(", "), figures));
  return code;
}

async function writePage(path: string, page: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, page);
  } catch (error) {
    throw new UserError(`write report page ${quoted(path, 200)}: ${reasonOf(error)}`);
  }
}

interface Taker {
  /** Before it plays. */
  watch?(replay: Replay): void;
  publish(update: MarketUpdate): void;
  /** After each batch. */
  flush?(): void;
  throttle(): Promise<void> | undefined;
  close(): Promise<void>;
  /** By table. */
  readonly rows?: Record<string, number>;
}

async function playPlain(world: World, options: ReplayOptions): Promise<ExitCode> {
  if (options.symbols.length > 0) {
    throw new UserError(
      `play frames of ${quoted(options.symbols[0])}: frames are played as they came, want no --symbols`,
      {
        code: 2,
        hint: "--output updates can tell symbols apart",
      },
    );
  }
  const [{ openRecords }, { playFrames }] = await Promise.all([
    import("../lib/formats/recording/open_records.ts"),
    import("../lib/sources/replay/play_frames.ts"),
  ]);
  const records = await Promise.all(options.paths.map((path) => openRecords(path, options.venue ?? "")));
  const started_ms = world.clock.monotonic_ms();
  const played = await playFrames({
    ...options,
    records,
    clock: world.clock,
    signal: world.signal,
    write: (lines) => world.stdout(lines),
  });
  const trouble = records.flatMap((one) => one.trouble);
  const seconds = (world.clock.monotonic_ms() - started_ms) / 1_000;
  summarise(world, { ...played, seconds }, trouble);
  return trouble.length > 0 ? 1 : 0;
}

async function serveRecorded(
  world: World,
  { paths, speed }: ReplayOptions,
  listen: string,
): Promise<ExitCode> {
  const [path, ...more] = paths;
  if (more.length > 0) {
    throw new UserError(`serve recordings: ${paths.length} given, want one`, { code: 2 });
  }
  const { RecordedVenue } = await import("../lib/mocks/recorded/recorded_venue.ts");
  await using venue = await RecordedVenue.open({ path, speed, listen }, world);
  const { ws_url, rest_url } = venue;
  await world.stdout(JSON.stringify({ ws_url, rest_url, stats_url: `${rest_url}/mock/stats` }) + "\n");
  if (!world.signal.aborted) {
    await new Promise((resolve) => world.signal.addEventListener("abort", resolve, { once: true }));
  }
  world.log.info("served", { ...venue.stats() });
  return 0;
}

async function contextOf(world: World): Promise<SourceContext> {
  const { FEEDS } = await import("../lib/gateway/catalog.ts");
  return {
    name: "replay",
    clock: world.clock,
    log: world.log,
    metrics: new Metrics(),
    seed: "replay",
    feeds: FEEDS,
  };
}

function summarise(world: World, played: Record<string, number>, trouble: readonly string[]): void {
  const { seconds, frames } = played;
  for (const one of trouble) world.log.warn("recording", { trouble: one });
  world.log.info("played", {
    ...played,
    seconds: Number(seconds.toFixed(3)),
    frames_per_second: Math.round(frames / Math.max(seconds, 1e-6)),
  });
}
