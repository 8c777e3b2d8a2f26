/**
 * One WebSocket to a server of the restream protocol: opens, sends requests under the server's limit, watches for
 * silence, hands over messages. It never reconnects: `client.ts` decides. Its owner may pause it, and the server then
 * conflates for us and says what it skipped. Certificates are always checked.
 */
// @ts-types="@types/ws"
import WebSocket from "ws";
import type { Clock, Timer } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";

const HANDSHAKE_MS = 10_000;
/** A whole book with its thousands of levels in one message. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** The server allows 50 a second and four seconds' worth at once. */
const REQUESTS_AT_ONCE = 100;
const REQUESTS_PER_TICK = 4;
const TICK_MS = 100;
/** Requests that wait; there is no reason for more. */
const MAX_REQUESTS = 100_000;
const MAX_REASON_LENGTH = 120;

export interface ConnectionOptions {
  readonly url: string;
  /** Sent with the handshake. */
  readonly bearer?: string;
  /** Authorities to trust instead of the built-in ones, PEM. */
  readonly ca?: string;
  readonly binary: boolean;
  /** Until the server's `hello` says better. */
  readonly max_silence_ms: number;
  readonly clock: Clock;
}

/** Why a connection is no more, or never was. */
export interface Ending {
  readonly reason: string;
  /** WebSocket close code, where there was one. */
  readonly close_code?: number;
  /** HTTP status of a refused handshake. */
  readonly status?: number;
  /** From `Retry-After`. */
  readonly retry_after_ms?: number;
}

export interface ConnectionOwner {
  text(text: string, received_us: number): void;
  binary(bytes: Uint8Array, received_us: number): void;
  /** Called once, also when it never opened. */
  down(ending: Ending): void;
}

export class Connection {
  readonly #socket: WebSocket;
  readonly #requests: object[] = [];
  #sent = 0;
  #timer: Timer | undefined;
  #heard_ms: number;
  #is_down = false;
  #is_open = false;
  max_silence_ms: number;

  constructor(readonly options: ConnectionOptions, readonly owner: ConnectionOwner) {
    const { clock, binary, bearer, ca } = options;
    this.max_silence_ms = options.max_silence_ms;
    this.#heard_ms = clock.monotonic_ms();
    const socket = this.#socket = new WebSocket(
      options.url,
      binary ? ["mdg.v1.binary", "mdg.v1.json"] : [],
      {
        maxPayload: MAX_MESSAGE_BYTES,
        handshakeTimeout: HANDSHAKE_MS,
        perMessageDeflate: false,
        followRedirects: false,
        headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
        ...(ca === undefined ? {} : { ca }),
      },
    );
    const heard = () => this.#heard_ms = clock.monotonic_ms();
    socket.on("open", () => {
      if (this.#is_down) return;
      heard();
      this.#is_open = true;
      this.#timer = clock.every(TICK_MS, () => this.#tick());
      this.#send(REQUESTS_AT_ONCE);
    });
    socket.on("message", (data: WebSocket.RawData, is_binary: boolean) => {
      heard();
      if (this.#is_down) return;
      if (is_binary) owner.binary(data as Uint8Array, clock.now_us());
      else owner.text(data.toString(), clock.now_us());
    });
    socket.on("ping", heard);
    socket.on("unexpected-response", (request, response) => {
      const status = response.statusCode ?? 0;
      const seconds = Number(response.headers["retry-after"]);
      const retry_after_ms = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
      this.#down({ reason: `refused with HTTP status ${status}`, status, retry_after_ms });
      request.destroy();
    });
    socket.on("error", (error) => this.#down({ reason: reasonOf(error) }));
    socket.on("close", (close_code, reason) => {
      const said = reason.toString().slice(0, MAX_REASON_LENGTH);
      this.#down({ reason: `closed: ${close_code} ${said}`.trimEnd(), close_code });
    });
  }
  request(message: object): void {
    if (this.#requests.length >= MAX_REQUESTS) return this.close(`over ${MAX_REQUESTS} requests wait`);
    this.#requests.push(message);
    if (this.#is_open && this.#sent < REQUESTS_AT_ONCE) this.#send(REQUESTS_AT_ONCE - this.#sent);
  }
  pause(): void {
    if (this.#is_open) this.#socket.pause();
  }
  resume(): void {
    // What was silent was we ourselves.
    this.#heard_ms = this.options.clock.monotonic_ms();
    if (this.#is_open) this.#socket.resume();
  }
  /** Ends it at once; `down` follows. */
  close(reason: string): void {
    if (this.#is_down) return;
    if (this.#is_open) this.#socket.close(1000);
    this.#down({ reason });
    this.#socket.terminate();
  }

  #tick(): void {
    this.#send(REQUESTS_PER_TICK);
    const silent_ms = this.options.clock.monotonic_ms() - this.#heard_ms;
    if (silent_ms > this.max_silence_ms && !this.#socket.isPaused) {
      this.close(`nothing received for ${Math.round(silent_ms)} ms`);
    }
  }
  #send(count: number): void {
    for (const message of this.#requests.splice(0, count)) {
      this.#sent++;
      this.#socket.send(JSON.stringify(message));
    }
  }
  #down(ending: Ending): void {
    if (this.#is_down) return;
    this.#is_down = true;
    this.#is_open = false;
    this.#timer?.cancel();
    this.owner.down(ending);
  }
}
