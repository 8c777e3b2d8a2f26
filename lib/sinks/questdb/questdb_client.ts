/**
 * The official client behind one door: opens a sender, writes rows through its encoder, flushes, and words failures
 * without secrets. Over HTTP it also asks the server whether it is there and makes the tables. Each batch is one request:
 * its answer is all or nothing.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Sender, SenderBufferV1, SenderOptions } from "@questdb/nodejs-client";
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
  #options: SenderOptions | undefined;
  /** Ours, so that its connections end with us; one is enough for one request at a time. */
  #agent: HttpAgent | undefined;

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
    if (this.is_http) {
      const Agent = this.#url.protocol === "https:" ? HttpsAgent : HttpAgent;
      this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    }
    // Its log is the console's otherwise; what it has to say comes as errors, too.
    this.#options = await SenderOptions.fromConfig(this.#configText(), { log: () => {}, agent: this.#agent });
    const sender = new Sender(this.#options);
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
      throw REFUSED_STATUSES.includes(status) ? new RowsRefused(`status ${status}`) : new Error(reason);
    }
  }
  /** The server's own words on a row that it refuses: the client does not pass them on. */
  async explain(row: Row): Promise<string> {
    const buffer = new SenderBufferV1(this.#options!);
    writeRow(buffer, row, this.config.table_prefix);
    try {
      await this.#fetch("/write?precision=n", new Uint8Array(buffer.toBufferNew() ?? []));
      return "taken at the second attempt";
    } catch (error) {
      return this.reason(error);
    }
  }
  async close(): Promise<void> {
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.reset();
    await sender?.close();
    this.#agent?.destroy();
    this.#agent = undefined;
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
    try {
      await this.#fetch(`/exec?${new URLSearchParams({ query })}`);
    } catch (error) {
      throw new Error(`${query.split(" (", 1)[0]}: ${causeOf(error)}`);
    }
  }
  /** Rejects unless the answer is a success. */
  async #fetch(path: string, body?: Uint8Array<ArrayBuffer>): Promise<void> {
    const { username, password, token, ca_file, request_timeout_ms } = this.config;
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    else if (username !== undefined) headers.authorization = `Basic ${btoa(`${username}:${password ?? ""}`)}`;
    const late = new AbortController();
    const timer = this.clock.after(
      request_timeout_ms,
      () => late.abort(new Error(`no answer within ${request_timeout_ms} ms`)),
    );
    const client = Deno.createHttpClient(ca_file ? { caCerts: [await Deno.readTextFile(ca_file)] } : {});
    try {
      const url = `${this.#url.protocol}//${this.address}${path}`;
      const method = body ? "POST" : "GET";
      const answer = await fetch(url, { method, headers, body, signal: late.signal, client });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`status ${answer.status}: ${text}`);
    } finally {
      timer.cancel();
      client.close();
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
      // Its retries would hide why, and for how long; ours are the delivery queue's.
      settings.push(["request_timeout", String(request_timeout_ms)]);
      settings.push(["retry_timeout", "0"], ["stdlib_http", "on"]);
    }
    return `${protocol}::` + settings.filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value!.replaceAll(";", ";;")};`).join("");
  }
}

/** The message and its cause; of a request that failed without the URL, which holds a whole statement. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return reasonOf(error).replace(/ for url \(\S*\)/, "") + cause;
}

function writeRow(sender: Sender | SenderBufferV1, row: Row, prefix: string): void {
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
