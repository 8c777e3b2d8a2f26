/**
 * The gRPC server on a hub that tests drive by hand, and a client that shares no code with it but HTTP/2 itself: node:http2
 * and messages that protobufjs reads from the contract's file as it was given.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { Buffer } from "node:buffer";
import protobuf from "protobufjs";
import { type Clock, sleep, systemClock } from "../../../../lib/base/clock.ts";
import type { MemoryGuard } from "../../../../lib/flow/memory_guard.ts";
import type { Sessions } from "../../../../lib/flow/session_registry.ts";
import type { Candle, Ticker, Trade } from "../../../../lib/market/event.ts";
import { OpenAccess } from "../../../../lib/servers/access/open_to_all.ts";
import type { Access } from "../../../../lib/servers/access/access.ts";
import { grpcSchema } from "../../../../lib/servers/grpc/grpc.ts";
import { GrpcServer } from "../../../../lib/servers/grpc/grpc_server.ts";
import type { TlsReload } from "../../../../lib/servers/tls_reload.ts";
import { FakeHub } from "../fake_hub.ts";
import contract from "../../../../lib/servers/grpc/schema/market_data.proto" with { type: "text" };

export const PROTO_FILE = new URL("../../../../lib/servers/grpc/schema/market_data.proto", import.meta.url)
  .pathname;
const { root } = protobuf.parse(contract, new protobuf.Root(), { keepCase: true });
const service = root.lookupService("market_data.MarketDataService");
service.resolveAll();

// deno-lint-ignore no-explicit-any -- messages under test are looked into freely
export type Message = Record<string, any>;

/** A hub that remembers what the real one would. */
export class MarketHub extends FakeHub {
  sessions: Sessions | undefined;
  memory: MemoryGuard | undefined;
  readonly tickers = new Map<string, Ticker>();
  readonly trades = new Map<string, Trade[]>();
  readonly bars = new Map<string, Candle[]>();
  override recentTrades(venue?: string, symbol?: string): readonly Trade[] {
    return this.trades.get(`${venue} ${symbol}`) ?? [];
  }
  lastTicker(venue: string, symbol: string): Ticker | undefined {
    return this.tickers.get(`${venue} ${symbol}`);
  }
  recentCandles(venue: string, symbol: string, interval: string): readonly Candle[] {
    return this.bars.get(`${venue} ${symbol} ${interval}`) ?? [];
  }
  ticker(symbol: string, fields: Partial<Ticker>, venue = "mock"): void {
    const ticker: Ticker = { kind: "ticker", venue, symbol, received_us: 1_000_000, ...fields };
    this.tickers.set(`${venue} ${symbol}`, ticker);
    this.offer(ticker);
    this.flush();
  }
}

export interface GrpcRig {
  hub: MarketHub;
  server: GrpcServer;
  address: string;
  connect(): GrpcTestClient;
  /** Nothing of any call is left. */
  assertEmpty(): Promise<void>;
}

export async function withGrpc(
  body: (rig: GrpcRig) => Promise<void>,
  options: {
    config?: Record<string, unknown>;
    clock?: Clock;
    access?: Access;
    tls?: TlsReload;
    sessions?: Sessions;
    memory?: MemoryGuard;
  } = {},
): Promise<void> {
  const { clock = systemClock, access = new OpenAccess(), tls } = options;
  const config = grpcSchema.parse({
    listen: "127.0.0.1:0",
    accepts_per_second_per_address: 1_000,
    ...options.config,
  });
  const hub = new MarketHub(clock);
  hub.sessions = options.sessions;
  hub.memory = options.memory;
  const server = await GrpcServer.open(
    { ...config, front_door: { ...config, allowed_origins: [] } },
    { access, tls },
    hub,
  );
  const clients: GrpcTestClient[] = [];
  const { address } = server.listener;
  try {
    await body({
      hub,
      server,
      address,
      connect() {
        const client = new GrpcTestClient(`${tls ? "https" : "http"}://${address}`);
        clients.push(client);
        return client;
      },
      async assertEmpty() {
        await until("all calls to be gone", () => server.calls === 0 && server.streams.instruments === 0);
        for (const client of server.clients.all) {
          assert.equal(client.queued_bytes, 0);
          assert.equal(client.calls.size, 0);
          assert.equal(client.subscriptions, 0);
        }
        for (const { calls, tap } of server.listener.connections) {
          assert.equal(calls.size, 0);
          assert.equal(tap.watched, 0);
        }
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
  }
  assert.equal(server.listener.connections.size, 0);
  assert.equal(server.clients.all.size, 0);
  assert.equal(hub.receivers.size, 0);
}

export async function until(what: string, probe: () => boolean): Promise<void> {
  const give_up_ms = systemClock.monotonic_ms() + 20_000;
  while (!probe()) {
    if (systemClock.monotonic_ms() > give_up_ms) throw new Error(`wait for ${what}: it does not come`);
    await sleep(systemClock, 5);
  }
}

export interface TestStatus {
  code: number;
  message: string;
}

export class TestCall {
  readonly messages: Message[] = [];
  status: TestStatus | undefined;
  rst_code: number | undefined;
  http_status: number | undefined;
  readonly ended: Promise<TestStatus>;
  #bytes = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  constructor(readonly stream: http2.ClientHttp2Stream, readonly type: protobuf.Type) {
    const { promise, resolve } = Promise.withResolvers<TestStatus>();
    this.ended = promise;
    const take = (headers: http2.IncomingHttpHeaders) => {
      if (headers["grpc-status"] === undefined) return;
      const message = decodeURIComponent(String(headers["grpc-message"] ?? ""));
      this.status = { code: Number(headers["grpc-status"]), message };
    };
    stream.on("response", (headers) => {
      this.http_status = Number(headers[":status"]);
      take(headers);
    });
    stream.on("trailers", take);
    stream.on("data", (piece: Buffer) => this.#onData(piece));
    stream.on("error", () => {});
    stream.on("close", () => {
      this.rst_code = stream.rstCode;
      resolve(this.status ?? { code: -1, message: `reset ${stream.rstCode}` });
      this.#wake();
    });
  }
  /** Resolves once `count` messages are there; rejects when it ended before. */
  async received(count: number): Promise<Message> {
    while (this.messages.length < count) {
      if (this.rst_code !== undefined) throw new Error(`the call ended: ${JSON.stringify(this.status)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.messages[count - 1];
  }
  cancel(): void {
    this.stream.close(http2.constants.NGHTTP2_CANCEL);
  }
  #onData(piece: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    while (this.#bytes.length >= 5 && this.#bytes.length >= 5 + this.#bytes.readUInt32BE(1)) {
      const end = 5 + this.#bytes.readUInt32BE(1);
      const decoded = this.type.decode(this.#bytes.subarray(5, end));
      this.messages.push(this.type.toObject(decoded, { longs: Number }));
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake();
  }
  #wake(): void {
    for (const waiting of this.#waiting.splice(0)) waiting();
  }
}

export class GrpcTestClient {
  readonly session: http2.ClientHttp2Session;
  readonly #closed: Promise<unknown>;

  constructor(url: string, readonly metadata: Record<string, string> = {}) {
    this.session = http2.connect(url);
    this.session.on("error", () => {});
    this.#closed = once(this.session, "close").catch(() => {});
  }
  /** Any method of the contract, its request as an object. */
  call(method: string, request: Message, headers: Record<string, string> = {}): TestCall {
    const found = service.methods[method];
    const body = found.resolvedRequestType!.encode(found.resolvedRequestType!.fromObject(request)).finish();
    return this.raw(
      `/market_data.MarketDataService/${method}`,
      framed(body),
      headers,
      found.resolvedResponseType!,
    );
  }
  raw(
    path: string,
    body: Uint8Array,
    headers: Record<string, string> = {},
    type: protobuf.Type = root.lookupType("market_data.OrderBookResponse"),
  ): TestCall {
    const stream = this.session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...this.metadata,
      ...headers,
    });
    const call = new TestCall(stream, type);
    stream.end(body);
    return call;
  }
  /** The one answer, or the status. */
  async ask(method: string, request: Message, headers?: Record<string, string>): Promise<Message> {
    const call = this.call(method, request, headers);
    const status = await call.ended;
    if (status.code !== 0) return { status };
    assert.equal(call.messages.length, 1);
    return call.messages[0];
  }
  async close(): Promise<void> {
    this.session.destroy();
    await this.#closed;
  }
}

export function framed(message: Uint8Array, flag = 0): Uint8Array {
  const bytes = new Uint8Array(5 + message.length);
  bytes[0] = flag;
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}
