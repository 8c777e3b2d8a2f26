/**
 * A venue that says again what was recorded of it, word for word: any venue, for the client that talks as the recorded one
 * did. Connections are matched by path in the order they were opened; before an answer goes out the client's message is
 * waited for, so acknowledgements and snapshots stand where they stood. A client that stays away is not waited for long:
 * what was meant for it is counted as missed.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket } from "ws";
import { type Clock, nextTurn, sleep } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { Pace } from "../../base/pace.ts";
import type { Mark } from "../../formats/recording/mark.ts";
import { openRecords, type Records } from "../../formats/recording/open_records.ts";
import { decodeAnswer, RECORD, RecordCursor } from "../../formats/recording/record.ts";
import { Listener } from "../stage/listener.ts";
import { RecordedAnswers } from "./recorded_answers.ts";

/** A client has so long to connect again, to say its next message, to ask what was asked. */
const PATIENCE_MS = 3_000;
/** A client that let us wait so often talks another way: nobody waits for its messages any more. */
const MAX_VAIN_WAITS = 3;
const WAIT_ABOVE_BYTES = 1024 * 1024;
const READ_DEADLINE_MS = 30_000;
/** Records between two looks at the sockets. */
const BURST = 64;

export interface RecordedVenueOptions {
  /** A folder of `mdg record`, or a segment of one. */
  path: string;
  /** HOST:PORT; port 0 picks a free one. */
  listen: string;
  /** Recorded seconds a second; Infinity: as fast as clients read. */
  speed: number;
}
export interface RecordedVenueStats {
  records: number;
  frames_sent: number;
  /** Frames for which there was no client. */
  frames_missed: number;
  clients: number;
  answers: number;
  finished: boolean;
}

interface RecordedLine {
  path: string;
  socket: WebSocket | undefined;
  /** Messages of the client that were not waited for yet. */
  messages: number;
  vain_waits: number;
}

export class RecordedVenue implements AsyncDisposable {
  ws_url = "";
  rest_url = "";
  readonly #lines = new Map<number, RecordedLine>();
  readonly #waiting: { path: string; socket: WebSocket; messages: number }[] = [];
  readonly #answers: RecordedAnswers;
  readonly #listener: Listener;
  readonly #stop = new AbortController();
  readonly #pace: Pace;
  #changed: (() => void) | undefined;
  #playing: Promise<void> | undefined;
  readonly #finished = Promise.withResolvers<void>();
  readonly finished = this.#finished.promise;
  readonly #stats = { records: 0, frames_sent: 0, frames_missed: 0, finished: false };

  private constructor(
    readonly options: RecordedVenueOptions,
    readonly records: Records,
    readonly clock: Clock,
    readonly log: Log,
  ) {
    this.#pace = new Pace(clock, options.speed);
    this.#answers = new RecordedAnswers(clock, PATIENCE_MS);
    this.#listener = new Listener({
      request: (request, response) => this.#request(request, response),
      enter: (path) => this.#stop.signal.aborted ? undefined : (socket) => this.#welcome(socket, path),
      failed: (error) => log.warn("request failed", { reason: reasonOf(error) }),
    });
  }
  /** @throws UserError when there is no recording, or the address can't be had */
  static async open(
    options: RecordedVenueOptions,
    world: { clock: Clock; log: Log },
  ): Promise<RecordedVenue> {
    const venue = new RecordedVenue(options, await openRecords(options.path), world.clock, world.log);
    const address = await venue.#listener.open(options.listen);
    venue.ws_url = `ws://${address}`;
    venue.rest_url = `http://${address}`;
    return venue;
  }
  stats(): RecordedVenueStats {
    const clients = [...this.#lines.values()].filter((line) => line.socket !== undefined).length;
    return { ...this.#stats, clients: clients + this.#waiting.length, answers: this.#answers.given };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#changed?.();
    this.#answers.close();
    for (const { socket } of [...this.#lines.values(), ...this.#waiting]) socket?.terminate();
    await this.#playing;
    await this.#listener.close();
  }

  #welcome(socket: WebSocket, path: string): void {
    const { pathname } = new URL(path, "ws://venue");
    const entry = { path: pathname, socket, messages: 0 };
    socket.on("ping", (data) => socket.pong(data));
    socket.on("error", () => {});
    socket.on("message", () => {
      const line = this.#lineOf(socket);
      if (line) line.messages++;
      else entry.messages++;
      this.#changed?.();
    });
    socket.on("close", () => {
      const line = this.#lineOf(socket);
      if (line) line.socket = undefined;
      const at = this.#waiting.indexOf(entry);
      if (at >= 0) this.#waiting.splice(at, 1);
    });
    this.#waiting.push(entry);
    for (const line of this.#lines.values()) if (line.socket === undefined) this.#seat(line);
    this.#changed?.();
    this.#playing ??= this.#play().catch((error) => {
      this.log.error("the recording can't be played", { reason: reasonOf(error) });
    });
  }
  #lineOf(socket: WebSocket): RecordedLine | undefined {
    for (const line of this.#lines.values()) if (line.socket === socket) return line;
    return undefined;
  }
  /** Gives the line a client that waits on its path. */
  #seat(line: RecordedLine): boolean {
    const at = this.#waiting.findIndex(({ path }) => path === line.path || line.path.endsWith(path));
    if (at < 0) return false;
    const [{ socket, messages }] = this.#waiting.splice(at, 1);
    line.socket = socket;
    line.messages = messages;
    return true;
  }

  async #play(): Promise<void> {
    const { signal } = this.#stop;
    let burst = 0;
    for await (const block of this.records.blocks()) {
      const cursor = new RecordCursor(block);
      while (cursor.next()) {
        if (signal.aborted) return;
        const wait_ms = this.#pace.wait_ms(cursor.at_us);
        if (wait_ms > 0) await sleep(this.clock, wait_ms, signal);
        else if (++burst % BURST === 0) await nextTurn();
        this.#stats.records++;
        const work = this.#take(cursor);
        if (work) await work;
      }
    }
    this.#stats.finished = true;
    this.#answers.over();
    this.#finished.resolve();
    this.log.info("recording served to its end; sockets stay open", { ...this.stats() });
  }
  #take(cursor: RecordCursor): Promise<void> | undefined {
    switch (cursor.kind) {
      case RECORD.received_text:
      case RECORD.received_binary:
        return this.#say(cursor);
      case RECORD.sent:
        return this.#hear(this.#lines.get(cursor.connection));
      case RECORD.mark:
        return this.#mark(cursor.json() as Mark);
      case RECORD.answer: {
        const answer = decodeAnswer(cursor.payload);
        return answer && this.#paused(this.#answers.reached(answer.head, answer.body.slice()));
      }
    }
  }
  #say(cursor: RecordCursor): Promise<void> | undefined {
    const socket = this.#lines.get(cursor.connection)?.socket;
    if (socket === undefined) {
      this.#stats.frames_missed++;
      return undefined;
    }
    socket.send(cursor.payload, { binary: cursor.kind === RECORD.received_binary });
    this.#stats.frames_sent++;
    return socket.bufferedAmount > WAIT_ABOVE_BYTES ? this.#drained(socket) : undefined;
  }
  async #drained(socket: WebSocket): Promise<void> {
    const until_ms = this.clock.monotonic_ms() + READ_DEADLINE_MS;
    while (socket.bufferedAmount > WAIT_ABOVE_BYTES / 4 && !this.#stop.signal.aborted) {
      await sleep(this.clock, 1, this.#stop.signal);
      if (this.clock.monotonic_ms() > until_ms) return socket.terminate();
    }
  }
  /** The recorded client said something here: so must this one. */
  async #hear(line: RecordedLine | undefined): Promise<void> {
    if (line?.socket === undefined || line.vain_waits >= MAX_VAIN_WAITS) return;
    if (!await this.#until(() => line.messages > 0 || line.socket === undefined)) line.vain_waits++;
    if (line.messages > 0) line.messages--;
  }
  #mark(mark: Mark): Promise<void> | undefined {
    if (mark.mark === "closed") {
      const line = this.#lines.get(mark.connection);
      this.#lines.delete(mark.connection);
      // Those who are waiting to be let in again come to the next line.
      line?.socket?.close(1000);
      return undefined;
    }
    if (mark.mark !== "opened" || this.#lines.has(mark.connection)) return undefined;
    const { pathname } = URL.parse(mark.url, "ws://venue") ?? { pathname: "/" };
    const line: RecordedLine = { path: pathname, socket: undefined, messages: 0, vain_waits: 0 };
    this.#lines.set(mark.connection, line);
    if (this.#seat(line)) return undefined;
    return this.#until(() => line.socket !== undefined).then(() => {});
  }
  /** False when time was over first. What was waited for does not count as lateness. */
  async #until(is_true: () => boolean): Promise<boolean> {
    const over = this.clock.monotonic_ms() + PATIENCE_MS;
    while (!is_true() && !this.#stop.signal.aborted) {
      const left_ms = over - this.clock.monotonic_ms();
      if (left_ms <= 0) return false;
      const changed = new AbortController();
      this.#changed = () => changed.abort();
      await sleep(this.clock, left_ms, changed.signal);
      this.#pace.restart();
    }
    return is_true();
  }
  async #paused(work: Promise<void> | undefined): Promise<void> {
    if (work === undefined) return;
    await work;
    this.#pace.restart();
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/mock/stats") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(this.stats()));
      return;
    }
    const { status, body } = await this.#answers.ask(request.url ?? "/");
    response.statusCode = status;
    response.setHeader("content-type", "application/json");
    response.end(body);
  }
}
