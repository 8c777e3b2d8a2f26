/**
 * Updates as NDJSON files that rotate: one set of files per channel and instrument, names that sort by time, old files
 * compressed and finally deleted. After a crash the torn last line is cut off and writing goes on behind it. A full disk
 * stops nothing: the delivery queue holds what its bounds allow, drops are counted, and writing resumes by itself.
 * Refuses: a second mdg in the same directory.
 */
import { z } from "zod";
import { defineSink } from "./sink.ts";
import { fileSetName } from "./log/file_name.ts";

export const LOG_CHANNELS = ["book", "trades", "quote", "ticker", "candles", "status"] as const;

const LOG_SCHEMA = z.strictObject({
  directory: z.string().min(1).max(4_000).describe("Where the files go; made when it is not there"),
  files: z.string().default("{channel}-{symbol}")
    .refine(
      (text) => text.includes("{channel}") && text.includes("{symbol}"),
      "must contain {channel} and {symbol}",
    )
    .refine(
      (text) => !/[/\\\0]/.test(text) && text.length <= 60,
      "want at most 60 characters without / or \\",
    )
    .describe("Name of a set of files; may contain {venue}. The file's start and its kind are appended"),
  channels: z.array(z.enum(LOG_CHANNELS)).min(1).default(["book", "trades", "status"])
    .describe("What is written: book, trades, quote, ticker, candles, status of books"),
  order_book_depth: z.int().min(1).max(5_000).default(20).describe("Levels a side in a book line"),
  max_file_bytes: z.int().min(4_096).max(2 ** 40).default(128 * 1024 * 1024)
    .describe("A file rotates before it grows beyond this"),
  rotate_every_s: z.int().min(1).max(366 * 86_400).default(3_600)
    .describe("Files also rotate at multiples of this, UTC; 3600: at each full hour, 86400: at midnight"),
  keep_files: z.int().min(1).max(1_000_000).default(48)
    .describe("Rotated files kept per set; older ones are deleted"),
  compress: z.enum(["none", "gzip", "zstd"]).default("gzip").describe("How rotated files are compressed"),
  fsync: z.enum(["never", "interval", "write"]).default("interval")
    .describe(
      "When data must be on the disk itself: never asked, every fsync_interval_ms, or before a write counts",
    ),
  fsync_interval_ms: z.int().min(10).max(3_600_000).default(1_000)
    .describe("At most so much is lost when the machine dies; a mere crash of mdg loses nothing written"),
  mode: z.string().regex(/^0?[0-7]{3}$/, 'want three octal digits in quotes, like "0640"')
    .refine((mode) => (parseInt(mode, 8) & 0o600) === 0o600, "want at least 6 for the owner, like 0600")
    .default("0640").describe("Permissions of the files"),
  max_queued_trades: z.int().min(1).max(10_000_000).default(100_000)
    .describe("Trades kept while files cannot be written; then the oldest are dropped and counted"),
});
export type LogConfig = z.output<typeof LOG_SCHEMA>;
export type LogChannel = typeof LOG_CHANNELS[number];

export const log = defineSink({
  name: "log",
  summary: "NDJSON files that rotate by size and time, compressed, one set per channel and instrument",
  schema: LOG_SCHEMA,
  target: (config, venue, symbol) => fileSetName(config.files, "book", venue, symbol),
  async connect(config, context) {
    const { LogSink } = await import("./log/log_sink.ts");
    return await LogSink.open(config, context);
  },
});
