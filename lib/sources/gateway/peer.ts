/**
 * One WebSocket to another mdg: opens, subscribes under the other side's request limit, watches for silence, hands over
 * texts. It never reconnects itself: the source decides. When its reader falls behind it stops reading, so that the
 * other side conflates for us and says what it skipped.
 */
// @ts-types="@types/ws"
import WebSocket from "ws";
import type { Clock, Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";

const HANDSHAKE_MS = 10_000;
/** A whole book with its thousands of levels in one message. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** The other side allows 50 a second and four seconds' worth at once. */
const REQUESTS_AT_ONCE = 100;
const REQUESTS_PER_TICK = 4;
const TICK_MS = 100;

export interface PeerOwner {
  opened(): void;
  text(text: string, received_us: number): void;
  /** Called once, also when it never opened. */
  down(reason: string): void;
}

export class Peer {
  readonly #socket: WebSocket;
  readonly #requests: object[] = [];
  #sent = 0;
  #timer: Timer | undefined;
  #heard_ms: number;
  #is_down = false;
  #is_open = false;

  constructor(
    url: string,
    readonly max_silence_ms: number,
    readonly clock: Clock,
    readonly owner: PeerOwner,
  ) {
    this.#heard_ms = clock.monotonic_ms();
    const socket = this.#socket = new WebSocket(url, {
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: false,
      followRedirects: false,
    });
    const heard = () => this.#heard_ms = clock.monotonic_ms();
    socket.on("open", () => {
      if (this.#is_down) return;
      heard();
      this.#is_open = true;
      this.#timer = clock.every(TICK_MS, () => this.#tick());
      owner.opened();
      this.#send(REQUESTS_AT_ONCE);
    });
    socket.on("message", (data: WebSocket.RawData) => {
      heard();
      if (!this.#is_down) owner.text(data.toString(), clock.now_us());
    });
    socket.on("ping", heard);
    socket.on("error", (error) => this.#down(reasonOf(error)));
    socket.on("close", (code, reason) => this.#down(`closed: ${code} ${reason.toString().slice(0, 100)}`));
  }
  request(message: object): void {
    this.#requests.push(message);
    if (this.#is_open && this.#sent < REQUESTS_AT_ONCE) this.#send(REQUESTS_AT_ONCE - this.#sent);
  }
  pause(): void {
    if (this.#is_open) this.#socket.pause();
  }
  resume(): void {
    // What was silent was we ourselves.
    this.#heard_ms = this.clock.monotonic_ms();
    if (this.#is_open) this.#socket.resume();
  }
  /** Ends it at once; `down` follows. */
  close(reason: string): void {
    if (this.#is_down) return;
    if (this.#is_open) this.#socket.close(1000);
    this.#down(reason);
    this.#socket.terminate();
  }

  #tick(): void {
    this.#send(REQUESTS_PER_TICK);
    const silent_ms = this.clock.monotonic_ms() - this.#heard_ms;
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
  #down(reason: string): void {
    if (this.#is_down) return;
    this.#is_down = true;
    this.#is_open = false;
    this.#timer?.cancel();
    this.owner.down(reason);
  }
}
