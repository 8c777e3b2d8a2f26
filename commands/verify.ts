/**
 * `mdg verify RECORDING`: is it whole, is it what was recorded, and do our books agree with the venue's own quotes? One
 * JSON object on stdout; exit 0 only when nothing is missing, nothing was changed and nothing differed.
 */
import { UserError } from "../lib/base/errors.ts";
import { Metrics } from "../lib/base/metrics.ts";
import { defineCommand, type ExitCode, type World } from "../lib/cli/command.ts";

export const verify = defineCommand({
  summary: "Prove a recording or a capture, and its books",
  description:
    "Replays lines of `<local ns> <raw frame>` (plain or gzip, REST snapshots inline) through the feed, book and audit " +
    "code of a live run. Prints one JSON object: gaps, resyncs, comparisons of the book's top with the venue's own " +
    "bookTicker, the final top 20 and a sha256 of the final full book. Exit 1 when there was a gap or a difference. Of a folder of `mdg record`, or a segment of it, also " +
    "blocks, hash chain and certificates are checked, the sequences are read anew from the frames, and every gap, loss " +
    "and pause is named.",
  arguments: [{ name: "RECORDING", doc: "folder of mdg record, a segment, or a capture", required: true }],
  flags: {
    venue: {
      type: "text",
      value: "VENUE",
      doc: "the venue of the capture; recognised from its frames when absent",
    },
  },
  examples: [
    { command: "mdg verify btcusdt.gz", doc: "check a recording" },
    { command: "mdg verify recordings | jq '{intact, complete, gaps}'", doc: "a folder of mdg record" },
    { command: "mdg verify btcusdt.gz | jq .sha256", doc: "the hash of the final book" },
  ],
  async run(world, flags, [path]) {
    const { isRecording } = await import("../lib/formats/recording/lines.ts");
    if (await isRecording(path)) return await verifyFolder(world, path);
    const [{ FEEDS, pick }, { verifyCapture }, { recogniseVenue }] = await Promise.all([
      import("../lib/gateway/catalog.ts"),
      import("../lib/sources/capture/verify_capture.ts"),
      import("../lib/sources/capture/recognise_venue.ts"),
    ]);
    const name = flags.venue ?? await recogniseVenue(path, Object.values(FEEDS));
    if (name === undefined) {
      throw new UserError(
        `recognise the venue of ${JSON.stringify(path)}: no known depth frame among its first lines`,
        {
          hint: `say --venue, one of ${Object.keys(FEEDS).join(", ")}`,
        },
      );
    }
    const started_ms = world.clock.monotonic_ms();
    const report = await verifyCapture(path, pick("venue", FEEDS, name), world.signal);
    const [only] = report.books;
    const flat = report.books.length === 1 ? only : {};
    await world.stdout(
      JSON.stringify({ capture: path, ...report, ...flat, books: undefined, ...several(report) }) + "\n",
    );
    world.log.debug("verified", { elapsed_ms: Math.round(world.clock.monotonic_ms() - started_ms) });
    return report.ok ? 0 : 1;
  },
});

async function verifyFolder(world: World, path: string): Promise<ExitCode> {
  const [{ FEEDS }, { verifyRecording }] = await Promise.all([
    import("../lib/gateway/catalog.ts"),
    import("../lib/sources/capture/verify_recording.ts"),
  ]);
  const context = {
    name: "verify",
    clock: world.clock,
    log: world.log,
    metrics: new Metrics(),
    seed: "verify",
    feeds: FEEDS,
  };
  const report = await verifyRecording(path, context, world.signal);
  await world.stdout(JSON.stringify({ path, ...report }) + "\n");
  return report.ok ? 0 : 1;
}

/** With one symbol its fields stand at the top; with several they stay apart. */
function several(report: { books: unknown[] }): { books?: unknown[] } {
  return report.books.length === 1 ? {} : { books: report.books };
}
