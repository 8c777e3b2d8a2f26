/**
 * What the mock venue's tests share: a venue on a free port, a WebSocket client that is not our own (npm ws), fixtures.
 */
// @ts-types="@types/ws"
import WebSocket from "ws";
import { systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import type { MockKind, MockOptions, MockVenue } from "../../../../lib/mocks/mock.ts";
import * as venues from "../../../../lib/mocks/registry.ts";

export type VenueName = keyof typeof venues;

export function fixturePath(venue: string): string {
  return decodeURIComponent(
    new URL(`../../../../fixtures/feeds/${venue}/capture.ndjson`, import.meta.url).pathname,
  );
}

/** The frames of a fixture capture, without their times. */
export async function readFixture(venue: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(fixturePath(venue))).trimEnd().split("\n");
  return lines.map((line) => line.slice(line.indexOf(" ") + 1));
}

/** A venue playing its fixture at full speed unless told otherwise; `stop` is its Ctrl-C. */
export async function openVenue(
  name: VenueName,
  options: Partial<MockOptions> = {},
): Promise<MockVenue & { stop: AbortController }> {
  const kind: MockKind = venues[name];
  const stop = new AbortController();
  const venue = await kind.open({
    listen: "127.0.0.1:0",
    capture: fixturePath(name),
    symbols: [],
    speed: Infinity,
    faults: [],
    seed: "test",
    ...options,
  }, { clock: systemClock, log: silentLog, signal: stop.signal });
  return Object.assign(venue, { stop });
}

/** A client that keeps everything it receives and waits for what it is asked to. */
export class VenueClient {
  readonly frames: string[] = [];
  pings = 0;
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  readonly #opened: Promise<void>;
  #waiters: { wanted: (frame: string) => boolean; resolve: (frame: string) => void }[] = [];
  #next_id = 1;

  constructor(url: string) {
    this.socket = new WebSocket(url, { skipUTF8Validation: true, perMessageDeflate: true });
    this.socket.on("message", (data: Uint8Array) => this.#receive(data.toString()));
    this.socket.on("ping", () => this.pings++);
    this.socket.on("error", () => {});
    this.#opened = new Promise((resolve, reject) => {
      this.socket.once("open", () => resolve());
      this.socket.once("error", reject);
    });
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
  }
  static async open(url: string): Promise<VenueClient> {
    const client = new VenueClient(url);
    await client.#opened;
    return client;
  }
  /** The data frames: what is neither an answer nor an error. */
  get data(): string[] {
    return this.frames.filter((frame) => !/^\{"(result|code)":/.test(frame));
  }
  send(text: string): void {
    this.socket.send(text);
  }
  /** Sends a request with a fresh id and resolves with its answer. */
  async ask(method: string, params?: unknown[]): Promise<Record<string, unknown>> {
    const id = this.#next_id++;
    const answer = this.next((frame) => frame.endsWith(`"id":${id}}`));
    this.send(JSON.stringify({ method, params, id }));
    return JSON.parse(await answer);
  }
  /** The next frame to come that is wanted. */
  next(wanted: (frame: string) => boolean = () => true): Promise<string> {
    return new Promise((resolve) => this.#waiters.push({ wanted, resolve }));
  }
  async close(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  #receive(frame: string): void {
    this.frames.push(frame);
    const met = this.#waiters.filter((one) => one.wanted(frame));
    this.#waiters = this.#waiters.filter((one) => !met.includes(one));
    for (const one of met) one.resolve(frame);
  }
}

/** A REST answer, read whole. */
export async function get(
  url: string,
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const response = await fetch(url);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Asks for a book, as every right client does: at full speed the tape waits a second for that. */
export async function askBook(venue: MockVenue): Promise<void> {
  const base = venue.stats().venue === "binance-spot" ? "/api/v3" : "/fapi/v1";
  await get(`${venue.rest_url}${base}/depth?symbol=BTCUSDT&limit=5`);
}
