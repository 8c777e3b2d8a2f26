/**
 * QuestDB by the InfluxDB line protocol, through its official client. Over HTTP the server answers for every batch, and
 * the tables made here drop repeated rows by their keys, so a batch sent again adds nothing. Over TCP it never answers:
 * what is under way when the connection breaks may be lost or, where a table has no keys, come twice. HTTP is the default
 * for that. Refuses: rounding — a quantity that a double does not hold stands in exact_quantity as text.
 */
import { z } from "zod";
import { secret } from "../config/secret.ts";
import { defineSink } from "./sink.ts";

const PROTOCOLS = ["http:", "https:", "tcp:", "tcps:"];
const milliseconds = (otherwise: number, min: number) => z.int().min(min).max(3_600_000).default(otherwise);
const KINDS = ["book", "trade", "quote", "ticker", "candle"] as const;

function isQuestdbUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  return PROTOCOLS.includes(protocol) && hostname !== "" && /^\/?$/.test(pathname) &&
    username + password === "";
}

export const QUESTDB_SCHEMA = z.strictObject({
  url: z.string().refine(
    isQuestdbUrl,
    "must be http://host[:9000], https://, tcp://host[:9009] or tcps://, without a path or login",
  )
    .describe("Where QuestDB is: http://127.0.0.1:9000, or tcp://127.0.0.1:9009"),
  username: z.string().min(1).optional().describe("User of HTTP basic login, or key id of TCP login"),
  password: secret("Password of HTTP basic login").optional(),
  token: secret("Bearer token of HTTP, or private key of TCP login").optional(),
  ca_file: z.string().min(1).optional().describe("PEM of the authority of https and tcps"),
  table_prefix: z.string().regex(/^[a-z_]\w{0,60}$/i).or(z.literal("")).default("")
    .describe("Put before the tables trades, quotes, book_tops, book_levels, candles, tickers"),
  create_tables: z.boolean().default(true)
    .describe("Over HTTP: make missing tables, by day, with keys that drop repeated rows"),
  kinds: z.array(z.enum(KINDS)).min(1).default([...KINDS]).describe("What is stored"),
  snapshot_interval_ms: z.int().min(0).max(86_400_000).default(1_000)
    .describe("Levels of a book are stored at most this often per symbol; 0: never, its top always"),
  order_book_depth: z.int().min(1).max(1_000).default(20).describe("Levels a side of a stored book"),
  max_queued_trades: z.int().min(1).max(10_000_000).default(100_000)
    .describe("Trades kept while QuestDB is away; then the oldest are dropped and counted"),
  request_timeout_ms: milliseconds(5_000, 100).describe("Deadline of one batch, and of connecting"),
}).superRefine((config, context) => {
  const is_tcp = /^tcps?:/.test(config.url);
  const complain = (key: string, message: string) =>
    context.addIssue({ code: "custom", path: [key], message });
  if (is_tcp && config.password !== undefined) {
    complain("password", "TCP logs in with username and token, want no password");
  }
  if (is_tcp && (config.username === undefined) !== (config.token === undefined)) {
    complain("token", "TCP logs in with username and token, want both or none");
  }
  if (!is_tcp && (config.username === undefined) !== (config.password === undefined)) {
    complain("password", "HTTP logs in with username and password, want both, or a token alone");
  }
});
export type QuestdbConfig = z.output<typeof QUESTDB_SCHEMA>;

export const questdb = defineSink({
  name: "questdb",
  summary: "QuestDB by line protocol over HTTP or TCP: trades, quotes, books, candles, tickers",
  schema: QUESTDB_SCHEMA,
  async connect(config, context) {
    const { QuestdbSink } = await import("./questdb/questdb_sink.ts");
    return new QuestdbSink(config, context);
  },
});
