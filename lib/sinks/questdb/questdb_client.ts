/**
 * The official client behind one door: opens a sender, writes rows through its encoder, flushes, and words failures
 * without secrets. Over HTTP it also asks the server whether it is there and makes the tables. Each batch is one request:
 * its answer is all or nothing.
 */
import { type ExtraOptions, Sender } from "@questdb/nodejs-client";
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { QuestdbConfig } from "../questdb.ts";
import { createTable, type Row, type TableName, TABLES } from "./rows.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 9000,
  "https:": 9000,
  "tcp:": 9009,
  "tcps:": 9009,
};
/** The server refuses the rows, not us or the moment. */
const REFUSED_STATUSES = [400, 406, 413, 422];
const MAX_REASON_LENGTH = 300;

/** The server will not take these rows, however often they come. */
export class RowsRefused extends Error {
  override readonly name = "RowsRefused";
}

export class QuestdbClient {
  readonly address: string;
  readonly is_http: boolean;
  readonly #url: URL;
  #sender: Sender | undefined;

  constructor(readonly config: QuestdbConfig, readonly clock: Clock) {
    this.#url = new URL(config.url);
    this.is_http = this.#url.protocol.startsWith("http");
    this.address = `${this.#url.hostname}:${this.#url.port || DEFAULT_PORTS[this.#url.protocol]}`;
  }
  get connected(): boolean {
    return this.#sender !== undefined;
  }
  /** Resolves when the server answers, lets us in, and the tables are there. */
  async connect(): Promise<void> {
    const { config, clock } = this;
    if (this.is_http) {
      for (const table of config.create_tables ? Object.keys(TABLES) as TableName[] : []) {
        await this.#query(createTable(table, config.table_prefix));
      }
      if (!config.create_tables) await this.#query("SELECT 1");
    }
    const sender = await Sender.fromConfig(this.#configText(), { log: () => {} } satisfies ExtraOptions);
    if (!this.is_http) {
      try {
        await withDeadline(clock, config.request_timeout_ms, `connect to ${this.address}`, sender.connect());
      } catch (error) {
        await sender.close();
        throw error;
      }
    }
    this.#sender = sender;
  }
  /** Resolves over HTTP when the server has committed the rows, over TCP when the system has taken the bytes. */
  async write(rows: readonly Row[]): Promise<void> {
    const sender = this.#sender;
    if (!sender) throw new Error(`questdb at ${this.address} is not connected`);
    try {
      sender.reset();
      for (const row of rows) writeRow(sender, row, this.config.table_prefix);
      await withDeadline(this.clock, 2 * this.config.request_timeout_ms, "write", sender.flush());
    } catch (error) {
      const reason = this.reason(error);
      const status = Number(/statusCode=(\d+)/.exec(reason)?.[1]);
      throw REFUSED_STATUSES.includes(status) ? new RowsRefused(reason) : new Error(reason);
    }
  }
  async close(): Promise<void> {
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.reset();
    await sender?.close();
  }
  /** What an error says, in one line, without secrets. */
  reason(error: unknown): string {
    const { password, token } = this.config;
    const text = [password, token].reduce<string>(
      (text, one) => one ? text.replaceAll(one, "***") : text,
      causeOf(error),
    );
    return text.replace(/\s+/g, " ").slice(0, MAX_REASON_LENGTH);
  }

  async #query(query: string): Promise<void> {
    const { username, password, token, request_timeout_ms } = this.config;
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    else if (username !== undefined) headers.authorization = `Basic ${btoa(`${username}:${password ?? ""}`)}`;
    const url = `${this.#url.protocol}//${this.address}/exec?${new URLSearchParams({ query })}`;
    const late = new AbortController();
    const timer = this.clock.after(
      request_timeout_ms,
      () => late.abort(new Error(`no answer within ${request_timeout_ms} ms`)),
    );
    const client = this.config.ca_file
      ? Deno.createHttpClient({ caCerts: [await Deno.readTextFile(this.config.ca_file)] })
      : undefined;
    try {
      const answer = await fetch(url, { headers, signal: late.signal, client });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${query.split(" (", 1)[0]}: status ${answer.status}: ${text}`);
    } finally {
      timer.cancel();
      client?.close();
    }
  }
  /** The client's own configuration text. Version 1 of the protocol: texts, so every number is exact, and any server. */
  #configText(): string {
    const { username, password, token, ca_file, request_timeout_ms } = this.config;
    const protocol = this.#url.protocol.slice(0, -1);
    const settings: [string, string | undefined][] = [
      ["addr", this.address],
      ["username", username],
      ["password", password],
      ["token", token],
      ["tls_ca", ca_file],
      ["protocol_version", "1"],
      ["auto_flush", "off"],
      ["max_buf_size", String(256 * 1024 * 1024)],
    ];
    if (this.is_http) {
      settings.push(["request_timeout", String(request_timeout_ms)], [
        "retry_timeout",
        String(request_timeout_ms),
      ]);
    }
    return `${protocol}::` + settings.filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value!.replaceAll(";", ";;")};`).join("");
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return reasonOf(error) + cause;
}

function writeRow(sender: Sender, row: Row, prefix: string): void {
  sender.table(prefix + row.table);
  for (const [name, value] of row.symbols) sender.symbol(name, value);
  for (const [name, value] of row.floats) sender.floatColumn(name, value);
  for (const [name, value] of row.integers) sender.intColumn(name, value);
  for (const [name, value] of row.texts) sender.stringColumn(name, value);
  for (const [name, value] of row.flags) sender.booleanColumn(name, value);
  sender.timestampColumn("received", row.received_us, "us");
  // Its promise is of the automatic flush, which is off.
  void sender.at(BigInt(row.at_us) * 1_000n, "ns");
}
