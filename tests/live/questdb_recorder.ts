/**
 * A server that takes what QuestDB takes, by the protocol's rules, and remembers it: HTTP with answers, tables with keys,
 * logins and refusals; or TCP without answers. A batch is stored as a whole or not at all. It can be killed and come
 * back on the same port.
 */
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { type Line, readLines } from "./line_protocol.ts";

export interface RecordedRow {
  table: string;
  symbol: string;
  symbols: Record<string, string>;
  /** Every value as text. */
  columns: Record<string, string>;
  at_ns: bigint;
}

const KEYS = /^CREATE TABLE IF NOT EXISTS "(\w+)" .*DEDUP UPSERT KEYS\(([^)]*)\)$/;

export class QuestdbRecorder implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly queries: string[] = [];
  readonly requests: string[] = [];
  /** Table → key columns. */
  readonly keys = new Map<string, string[]>();
  #server: HttpServer | Server | undefined;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  /** So many requests are stored and then not answered. */
  lose_answers = 0;
  /** What a login must be: the value of the authorization header. */
  login: string | undefined;
  /** Why a row can't be stored, for the server to refuse its batch. */
  refuses: (line: Line) => string | undefined = () => undefined;
  /** Answers every write with this status. */
  status: number | undefined;

  private constructor(readonly transport: "http" | "tcp") {}

  static async start(transport: "http" | "tcp"): Promise<QuestdbRecorder> {
    const recorder = new QuestdbRecorder(transport);
    await recorder.start();
    return recorder;
  }
  get url(): string {
    return `${this.transport}://127.0.0.1:${this.#port}`;
  }
  async start(): Promise<void> {
    const server = this.transport === "http"
      ? createHttp((request, response) => void this.#onRequest(request, response))
      : createTcp((socket) => this.#onSocket(socket));
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as { port: number }).port;
    this.#server = server;
  }
  /** At once: what is under way is lost. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
  /** Rows of a table, in order of arrival; where it has keys, a repeated row replaces the first. */
  rows(table: string): RecordedRow[] {
    const keys = this.keys.get(table);
    const found = new Map<string, RecordedRow>();
    for (const [i, line] of this.lines.entries()) {
      if (line.table !== table) continue;
      const row: RecordedRow = {
        table,
        symbol: line.symbols.symbol,
        symbols: line.symbols,
        columns: Object.fromEntries(
          Object.entries(line.columns).map(([name, value]) => [name, textOf(value)]),
        ),
        at_ns: line.at_ns,
      };
      const all: Record<string, string> = { ...row.columns, ...line.symbols, timestamp: String(line.at_ns) };
      found.set(keys ? JSON.stringify(keys.map((key) => all[key] ?? null)) : String(i), row);
    }
    return [...found.values()];
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Uint8Array[] = [];
    try {
      for await (const part of request) body.push(part as Uint8Array);
    } catch {
      return;
    }
    const url = new URL(request.url ?? "", "http://localhost");
    this.requests.push(`${request.method} ${url.pathname}`);
    const answer = (status: number, text = "") => void response.writeHead(status).end(text);
    if (this.login !== undefined && request.headers.authorization !== this.login) {
      return answer(401, "Unauthorized");
    }
    if (url.pathname === "/exec") {
      this.#onQuery(url.searchParams.get("query") ?? "");
      return answer(200, "{}");
    }
    if (url.pathname !== "/write" || url.searchParams.get("precision") !== "n") return answer(404);
    if (this.status !== undefined) return answer(this.status, "told to");
    const lines = readLines(new TextDecoder().decode(await new Blob(body as BlobPart[]).arrayBuffer()));
    for (const line of lines) {
      const why = this.refuses(line);
      if (why !== undefined) return answer(400, JSON.stringify({ code: "invalid", message: why }));
    }
    this.lines.push(...lines);
    if (this.lose_answers === 0) return answer(204);
    this.lose_answers--;
    response.destroy();
  }
  #onQuery(query: string): void {
    this.queries.push(query);
    const found = KEYS.exec(query);
    if (found) this.keys.set(found[1], found[2].split(", ").map((key) => key.slice(1, -1)));
  }
  #onSocket(socket: Socket): void {
    let rest = "";
    const decoder = new TextDecoder();
    socket.on("data", (chunk: Uint8Array) => {
      rest += decoder.decode(chunk, { stream: true });
      const end = rest.lastIndexOf("\n") + 1;
      this.lines.push(...readLines(rest.slice(0, end)));
      rest = rest.slice(end);
    });
  }
}

function textOf(value: Line["columns"][string]): string {
  if (typeof value !== "object") return String(value);
  return "float" in value ? value.float : String(value.us);
}
