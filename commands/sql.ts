/**
 * `mdg sql`: a stream into a database, as a program of its own. The same as a config with one source and the sink `sql`.
 */
import { defineCommand } from "../lib/cli/command.ts";
import { PROXY_FLAGS } from "./proxy/flags.ts";

export const sql = defineCommand({
  summary: "Store a stream of market data in PostgreSQL or SQLite",
  description:
    "Takes what another mdg (or the old service) publishes and stores trades, quotes, candles, tickers, book snapshots " +
    "and book status. Tables are made by themselves. While PostgreSQL is away rows wait in a spool on the disk. " +
    "Passwords come from a file, from MDG_FROM_PASSWORD and MDG_TO_PASSWORD (or PGPASSWORD, ~/.pgpass), or are asked " +
    "for; never from a URL on the command line.",
  flags: {
    ...PROXY_FLAGS,
    to: {
      type: "text",
      value: "URL",
      default: "sqlite:mdg.sqlite",
      doc: "postgres://USER@HOST/DATABASE, or sqlite:FILE",
    },
    "to-password-file": {
      type: "text",
      value: "FILE",
      doc: "password of --to; or the variable MDG_TO_PASSWORD",
    },
    schema: { type: "text", value: "NAME", doc: "PostgreSQL schema of the tables; absent: public" },
    tables: {
      type: "list",
      value: "TABLE",
      doc: "only these: trades, candles, book_status, quotes, tickers, books",
    },
    "retention-days": {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      doc: "days that are kept; absent: all",
    },
    spool: { type: "text", value: "FOLDER", doc: "where rows wait for PostgreSQL; absent: mdg-spool" },
  },
  examples: [
    {
      command: "mdg sql --from ws://127.0.0.1:8080 --to sqlite:market.sqlite",
      doc: "everything another mdg has, into one file",
    },
    {
      command: "mdg sql --from redis://127.0.0.1 --symbols BTCUSDT --to postgres://mdg@db/market",
      doc: "from Redis to PostgreSQL; PGPASSWORD or MDG_TO_PASSWORD holds the password",
    },
  ],
  async run(world, flags) {
    const [{ runProxy }, { passwordOf }] = await Promise.all([
      import("./proxy/run_proxy.ts"),
      import("../lib/cli/passwords.ts"),
    ]);
    const password = await passwordOf(world, {
      flag: "--to",
      url: flags.to,
      variable: "MDG_TO_PASSWORD",
      file: flags["to-password-file"],
      ask: flags["ask-passwords"] && !flags.to.startsWith("sqlite:"),
    });
    return await runProxy(world, flags, {
      kind: "sql",
      url: flags.to,
      password,
      schema: flags.schema,
      tables: flags.tables.length > 0 ? flags.tables : undefined,
      retention_days: flags["retention-days"],
      spool: flags.spool === undefined ? undefined : { folder: flags.spool },
    });
  },
});
