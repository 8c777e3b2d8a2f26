/** The attacked server as a test holds it: its heap, what it counted, and a client that must never notice anything. */
import assert from "node:assert/strict";
import { makeKey, type NewKey } from "../../../../../lib/servers/access/api_key.ts";
import { path } from "../../../../mdg_process.ts";
import { connectRaw, handshake, RawWebSocket, readHead, writeAll } from "../../../../raw_websocket.ts";
import { until } from "../../../../end_to_end/until.ts";
import { tenantsText } from "../../access/tenants_rig.ts";

export const MIB = 1024 * 1024;

export interface Counts {
  readonly clients: number;
  readonly subscriptions: number;
  readonly queued_bytes: number;
  /** By reason or code. */
  readonly closes: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly door: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
}

export class FaultServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  address = "";
  #baseline_bytes = 0;

  private constructor(
    config: object,
    readonly key: NewKey,
    readonly folder: string,
    readonly tls: { ca: string } | undefined,
  ) {
    const script = new URL("./server_process.ts", import.meta.url).pathname;
    const flags = ["run", "-A", "--no-check", "--quiet", "--v8-flags=--expose-gc,--max-semi-space-size=4"];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...flags, "--config", path("deno.json"), script, JSON.stringify(config)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }
  /** With a tenant and its key, unless `more` says something else of access; `ca`: believed by its clients over TLS. */
  static async start(more: Record<string, unknown> = {}, ca?: string): Promise<FaultServer> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-faults-" });
    const key = makeKey();
    const tenants_file = `${folder}/tenants.yaml`;
    await Deno.writeTextFile(tenants_file, tenantsText([{ id: "acme", keys: [key] }]), { mode: 0o600 });
    const server = new FaultServer(
      {
        listen: "127.0.0.1:0",
        access: { tenants_file },
        // What is not under test must not be what holds.
        max_connections_per_address: 2_000,
        accepts_per_second_per_address: 10_000,
        heartbeat_ms: 300_000,
        max_lag_ms: 300_000,
        ...more,
      },
      key,
      folder,
      ca === undefined ? undefined : { ca },
    );
    server.address = (await server.#next()).address;
    // Once round, so that what is compiled and made once is no growth.
    using first = await server.client();
    await first.message("pong", () => true);
    server.#baseline_bytes = (await server.ask("heap")).bytes;
    return server;
  }
  /** A client that is let in and was answered; its token goes with the handshake. */
  async client(token: string = this.key.key): Promise<RawWebSocket> {
    const headers = { Authorization: `Bearer ${token}` };
    const ws = await RawWebSocket.open(this.address, { headers, tls: this.tls });
    await ws.message("hello");
    await ws.sendJson({ type: "ping" });
    return ws;
  }
  /** One that has not said who it is. */
  async stranger(): Promise<RawWebSocket> {
    const ws = await RawWebSocket.open(this.address);
    await ws.message("hello");
    return ws;
  }
  /** The status of a handshake's answer; undefined where the connection ended without one. */
  async knock(headers: Record<string, string> = {}): Promise<number | undefined> {
    try {
      const conn = await connectRaw(this.address);
      try {
        await writeAll(conn, handshake(this.address, { headers }));
        return (await readHead(conn))?.status;
      } finally {
        conn.close();
      }
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) {
        return undefined;
      }
      throw error;
    }
  }
  // deno-lint-ignore no-explicit-any -- figures of our own process
  async ask(word: string): Promise<any> {
    await this.#stdin.write(new TextEncoder().encode(word + "\n"));
    return await this.#next();
  }
  async counts(): Promise<Counts> {
    return await this.ask("counts");
  }
  /** Waits for the server to have seen what was done to it. */
  untilCounts(what: string, wanted: (counts: Counts) => boolean): Promise<Counts> {
    let last: Counts | undefined;
    return until(
      what,
      async () => wanted(last = await this.counts()) && last,
      30_000,
      () => JSON.stringify(last),
    );
  }
  /**
   * What is alive in the heap beyond what was before the attack comes down to `max_bytes`: what closing sockets still hold
   * is waited for, what stays is a failure.
   */
  async expectHeap(max_bytes: number): Promise<number> {
    let grown = 0;
    await until(
      "the heap small again",
      async () => (grown = (await this.ask("heap")).bytes - this.#baseline_bytes) <= max_bytes,
      10_000,
      () => `it grew by ${(grown / MIB).toFixed(1)} MiB, want ≤ ${max_bytes / MIB}`,
    );
    return grown;
  }
  /** It still serves: a client gets in and is answered. */
  async expectServing(): Promise<void> {
    using ws = await this.client();
    assert.equal((await ws.message("pong"))?.type, "pong");
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close();
    await this.#lines.return(undefined);
    const { success } = await this.#child.status;
    await Deno.remove(this.folder, { recursive: true });
    assert.ok(success, "the server's process failed");
  }

  // deno-lint-ignore no-explicit-any -- as above
  async #next(): Promise<any> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("attack the server: its process ended");
    return JSON.parse(value);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
