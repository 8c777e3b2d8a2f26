/**
 * `mdg verify CAPTURE`: is this recording whole, and do our books agree with the venue's own quotes? One JSON object on
 * stdout; exit 0 only when there were no gaps and no differences.
 */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";

export const verify = defineCommand({
  summary: "Replay a capture and prove its books",
  description:
    "Replays lines of `<local ns> <raw frame>` (plain or gzip, REST snapshots inline) through the feed, book and audit " +
    "code of a live run. Prints one JSON object: gaps, resyncs, comparisons of the book's top with the venue's own " +
    "bookTicker, the final top 20 and a sha256 of the final full book. Exit 1 when there was a gap or a difference.",
  arguments: [{ name: "CAPTURE", doc: "capture file, plain or gzip", required: true }],
  flags: {
    venue: {
      type: "text",
      value: "VENUE",
      doc: "the venue of the capture; recognised from its frames when absent",
    },
  },
  examples: [
    { command: "mdg verify btcusdt.gz", doc: "check a recording" },
    { command: "mdg verify btcusdt.gz | jq .sha256", doc: "the hash of the final book" },
  ],
  async run(world, flags, [path]) {
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

/** With one symbol its fields stand at the top; with several they stay apart. */
function several(report: { books: unknown[] }): { books?: unknown[] } {
  return report.books.length === 1 ? {} : { books: report.books };
}
