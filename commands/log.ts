/**
 * `mdg log`: a stream into rotated files, as a program of its own. The same as a config with one source and the sink
 * `log`.
 */
import { defineCommand } from "../lib/cli/command.ts";
import { PROXY_FLAGS } from "./proxy/flags.ts";

export const log = defineCommand({
  summary: "Write a stream of market data to rotated NDJSON files",
  description:
    "Takes what another mdg (or the old service) publishes and writes it as JSON lines, one set of files per channel and " +
    "instrument; files rotate by size and time and are compressed. The password of --from comes from a file, from " +
    "MDG_FROM_PASSWORD, or is asked for; never from a URL on the command line.",
  flags: {
    ...PROXY_FLAGS,
    to: {
      type: "text",
      value: "FOLDER",
      required: true,
      doc: "where the files go; made when it is not there",
    },
    channels: {
      type: "list",
      value: "CHANNEL",
      doc: "only these: book, trades, quote, ticker, candles, status; absent: book, trades, status",
    },
    compress: {
      type: "text",
      value: "HOW",
      choices: ["none", "gzip", "zstd"],
      default: "gzip",
      doc: "of rotated files",
    },
    "rotate-every": {
      type: "number",
      value: "SECONDS",
      integer: true,
      min: 1,
      default: 3_600,
      doc: "files rotate at multiples of this, UTC, and when they are full",
    },
    "keep-files": {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      default: 48,
      doc: "rotated files kept per set",
    },
  },
  examples: [
    {
      command: "mdg log --from ws://127.0.0.1:8080 --to logs",
      doc: "books, trades and book status of another mdg",
    },
    {
      command: "mdg log --from redis://127.0.0.1 --symbols BTCUSDT --to logs --channels trades",
      doc: "trades from Redis",
    },
  ],
  async run(world, flags) {
    const { runProxy } = await import("./proxy/run_proxy.ts");
    return await runProxy(world, flags, {
      kind: "log",
      directory: flags.to,
      channels: flags.channels.length > 0 ? flags.channels : undefined,
      compress: flags.compress,
      rotate_every_s: flags["rotate-every"],
      keep_files: flags["keep-files"],
    });
  },
});
