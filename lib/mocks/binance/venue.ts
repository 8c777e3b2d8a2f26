/**
 * A whole mock venue: the tape is played once for everybody, the books follow it, clients get what they subscribed to,
 * REST answers from the books. A capture starts at the first depth subscription, once every route has one or the start
 * delay is over; late clients join what runs. After its end the sockets stay open and REST serves the final books.
 * Bounds: at full speed the tape waits for clients behind by `WAIT_ABOVE_BYTES` and cuts who does not read for 30 s; at
 * a market's own pace a client behind by `CUT_ABOVE_BYTES` is cut, as the venue does. Both are counted.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { type Clock, sleep, type Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { withRates } from "../fault_spec.ts";
import type { MockOptions, MockStats, MockVenue } from "../mock.ts";
import { openCaptureTape } from "./capture_tape.ts";
import type { BinanceDialect } from "./dialect.ts";
import { FaultPlan } from "./fault_plan.ts";
import { openGeneratedTape } from "./generated_tape.ts";
import { Listener } from "./listener.ts";
import { Player } from "./player.ts";
import { RestApi } from "./rest_api.ts";
import { Session } from "./session.ts";
import { StreamFrame } from "./stream_frame.ts";
import { StreamIndex } from "./stream_index.ts";
import { parseStreamPath } from "./stream_path.ts";
import type { Tape, TapeItem } from "./tape.ts";
import { TextBook } from "./text_book.ts";

const WAIT_ABOVE_BYTES = 1024 * 1024;
const RESUME_BELOW_BYTES = 256 * 1024;
const CUT_ABOVE_BYTES = 8 * 1024 * 1024;
const READ_DEADLINE_MS = 30_000;
const CLOSE_DEADLINE_MS = 500;
/** At full speed a recording may be over before a client's first depth request arrives: the tape waits this long for it. */
const FIRST_DEPTH_WAIT_MS = 1_000;
const DEFAULT_START_DELAY_MS = 500;
const DEFAULT_FAULT_UNTIL = 0.9;

export interface MockWorld {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

export async function openBinanceVenue(
  dialect: BinanceDialect,
  options: MockOptions,
  world: MockWorld,
): Promise<MockVenue> {
  const symbols = options.symbols.map((one) => one.trim().toUpperCase());
  const tape = options.capture === undefined
    ? openGeneratedTape(symbols, dialect, options, world.clock)
    : await openCaptureTape(options.capture, symbols, dialect, world.log);
  const venue = new BinanceVenue(dialect, tape, options, world);
  await venue.open();
  return venue;
}

class BinanceVenue implements MockVenue {
  ws_url = "";
  rest_url = "";
  readonly symbols: readonly string[];
  readonly #finished = Promise.withResolvers<void>();
  readonly finished = this.#finished.promise;
  readonly #stop = new AbortController();
  readonly #books: ReadonlyMap<string, TextBook>;
  readonly #faults: FaultPlan;
  readonly #index = new StreamIndex();
  readonly #sessions = new Set<Session>();
  readonly #listener: Listener;
  readonly #player: Player;
  readonly #rest: RestApi;
  readonly #calm_at: number;
  /** Given a snapshot by the tape just now. */
  #anchored: TextBook[] = [];
  #playing: Promise<void> | undefined;
  #start_timer: Timer | undefined;
  #is_finished = false;
  #next_id = 1;
  #frames_of_gone_clients = 0;
  #slow_clients_cut = 0;
  #closing: Promise<void> | undefined;
  readonly #onAbort = () => void this.#close();

  constructor(
    readonly dialect: BinanceDialect,
    readonly tape: Tape,
    readonly options: MockOptions,
    readonly world: MockWorld,
  ) {
    const { clock } = world;
    const signal = this.#stop.signal;
    this.symbols = [...tape.symbols.keys()];
    this.#books = new Map(
      this.symbols.map((one) => [one, new TextBook(one, dialect.chains_by_previous_id)]),
    );
    this.#faults = new FaultPlan(withRates(options.faults), options.seed);
    this.#calm_at = tape.total === undefined
      ? Infinity
      : Math.floor(tape.total * (options.fault_until ?? DEFAULT_FAULT_UNTIL));
    this.#player = new Player({
      tape,
      clock,
      speed: options.speed,
      signal,
      play: (item, position) => this.#play(item, position),
      flush: () => this.#flush(),
    });
    this.#rest = new RestApi({
      dialect,
      books: this.#books,
      symbols: tape.symbols,
      faults: this.#faults,
      clock,
      signal,
      stats: () => this.stats(),
    });
    this.#listener = new Listener({
      request: (request, response) => this.#rest.handle(request, response),
      accepts: (path) => parseStreamPath(path, dialect.routes) !== undefined && !signal.aborted,
      client: (socket, raw, path) => this.#welcome(socket, raw, path),
      failed: (error) => world.log.warn("mock request failed", { error }),
    });
  }

  async open(): Promise<void> {
    const address = await this.#listener.open(this.options.listen);
    this.ws_url = `ws://${address}`;
    this.rest_url = `http://${address}`;
    this.world.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (this.world.signal.aborted) return void this.#close();
    if (!this.tape.waits_for_subscriber) this.#start();
  }

  stats(): MockStats {
    let frames_sent = this.#frames_of_gone_clients;
    for (const session of this.#sessions) frames_sent += session.outlet.frames_sent;
    let capture_gaps = 0;
    for (const book of this.#books.values()) capture_gaps += book.gaps;
    return {
      venue: this.dialect.name,
      position: this.#player.position,
      total: this.tape.total,
      started: this.#playing !== undefined,
      finished: this.#is_finished,
      clients: this.#sessions.size,
      connections_accepted: this.#next_id - 1,
      frames_sent,
      rest_requests: this.#rest.requests,
      slow_clients_cut: this.#slow_clients_cut,
      capture_gaps,
      injected: { ...this.#faults.injected },
      last_update_ids: Object.fromEntries(
        [...this.#books].map(([name, book]) => [name, book.last_update_id]),
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #welcome(socket: WebSocket, raw: Duplex, path: string): void {
    const { route, combined, streams } = parseStreamPath(path, this.dialect.routes)!;
    const taken = new Set([...this.#sessions].filter((one) => one.route === route).map((one) => one.slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    const session = new Session(socket, raw, {
      id: this.#next_id++,
      slot,
      route,
      combined,
      streams,
      dialect: this.dialect,
      clock: this.world.clock,
      log: this.world.log,
      faults: this.#faults,
      index: this.#index,
      onSubscribe: (stream) => this.#considerStart(stream, route),
      onClose: (gone) => {
        this.#frames_of_gone_clients += gone.outlet.frames_sent;
        this.#sessions.delete(gone);
      },
    });
    this.#sessions.add(session);
    session.begin();
  }

  /** A depth subscription on its own route arms the start; a subscription on every route, or the delay, fires it. */
  #considerStart(stream: string, route: string): void {
    if (this.#playing || this.#stop.signal.aborted) return;
    const suffix = stream.slice(stream.indexOf("@") + 1);
    const is_depth = this.dialect.depth_suffixes.includes(suffix) && this.dialect.routeOf(suffix) === route;
    if (is_depth && !this.#start_timer) {
      const delay_ms = this.options.start_delay_ms ?? DEFAULT_START_DELAY_MS;
      this.#start_timer = this.world.clock.after(delay_ms, () => this.#start());
    }
    if (!this.#start_timer) return;
    const routes = new Set([...this.#sessions].filter((one) => one.subscribed).map((one) => one.route));
    if (this.dialect.routes.every((one) => routes.has(one))) this.#start();
  }
  #start(): void {
    this.#start_timer?.cancel();
    if (this.#playing) return;
    const { log } = this.world;
    log.info("mock market starts", { venue: this.dialect.name, total: this.tape.total });
    this.#playing = this.#run().catch((error) => log.error(`play the tape: ${reasonOf(error)}`));
  }
  async #run(): Promise<void> {
    if (!await this.#player.run()) return;
    this.#calm();
    await this.#waitFor([...this.#sessions], 1);
    this.#is_finished = true;
    this.#finished.resolve();
    this.world.log.info("mock market served to its end; sockets stay open", { ...this.stats() });
  }

  #play(item: TapeItem, position: number): void {
    if (position >= this.#calm_at && this.#faults.active) this.#calm();
    if (item.kind === "snapshot") return this.#anchor(item);
    if (item.kind === "depth") this.#books.get(item.symbol)?.applyDiff(item.data);
    const symbol = item.symbol.toLowerCase();
    switch (item.kind) {
      case "depth":
        for (const suffix of this.dialect.depth_suffixes) {
          this.#send(`${symbol}@${suffix}`, item.data, position);
        }
        return;
      case "trade": {
        this.#send(`${symbol}@trade`, item.data, position);
        const aggregate = `${symbol}@aggTrade`;
        if (this.#index.of(aggregate).size === 0) return;
        const data = this.dialect.aggregateTrade(item.data);
        if (data !== undefined) this.#send(aggregate, data, position);
        return;
      }
      default:
        this.#send(`${symbol}@${item.suffix}`, item.data, position);
    }
  }
  #send(stream: string, data: string, position: number): void {
    const sessions = this.#index.of(stream);
    if (sessions.size === 0) return;
    const frame = new StreamFrame(stream, data);
    // A copy: a disconnect fault takes its session out of the set.
    for (const session of [...sessions]) session.deliver(frame, position);
  }
  /** A snapshot names its symbol, or is for the book that waits for ids closest to its own. */
  #anchor(item: TapeItem): void {
    const book = this.#books.get(item.symbol) ?? this.#bookWaitingFor(item);
    if (!book) return;
    book.applySnapshot(item.data);
    this.#anchored.push(book);
  }
  #bookWaitingFor(item: TapeItem): TextBook | undefined {
    const id = Number(/"lastUpdateId":(\d+)/.exec(item.data)?.[1]);
    const waiting = [...this.#books.values()].filter((book) => !book.synced)
      .sort((a, b) => a.distance(id) - b.distance(id));
    return waiting[0];
  }
  #calm(): void {
    this.#faults.active = false;
    for (const session of this.#sessions) session.calm();
  }

  #flush(): Promise<void> | undefined {
    const full_speed = this.options.speed === Infinity;
    const lagging: Session[] = [];
    for (const session of this.#sessions) {
      session.outlet.flush();
      const { queued_bytes } = session.outlet;
      if (full_speed && queued_bytes > WAIT_ABOVE_BYTES) lagging.push(session);
      if (!full_speed && queued_bytes > CUT_ABOVE_BYTES) this.#cutSlow(session);
    }
    const anchored = this.#anchored.splice(0);
    if (full_speed && this.tape.waits_for_subscriber && anchored.length > 0) {
      return this.#within(FIRST_DEPTH_WAIT_MS, Promise.all(anchored.map((book) => book.whenServed())));
    }
    return lagging.length > 0 ? this.#waitFor(lagging, RESUME_BELOW_BYTES) : undefined;
  }
  async #waitFor(lagging: readonly Session[], below_bytes: number): Promise<void> {
    const drained = Promise.all(lagging.map((one) => one.outlet.whenBelow(below_bytes)));
    await this.#within(READ_DEADLINE_MS, drained);
    for (const one of lagging) if (one.outlet.queued_bytes > WAIT_ABOVE_BYTES) this.#cutSlow(one);
  }
  /** Resolves when `work` does, the time is over, or the venue closes. */
  async #within(limit_ms: number, work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stop.signal]);
    await Promise.race([work, sleep(this.world.clock, limit_ms, signal)]);
    over.abort();
  }
  #cutSlow(session: Session): void {
    this.#slow_clients_cut++;
    this.world.log.warn("client cut: it does not read", { queued_bytes: session.outlet.queued_bytes });
    session.cut("slow");
  }

  #close(): Promise<void> {
    return this.#closing ??= this.#shutDown();
  }
  async #shutDown(): Promise<void> {
    this.world.signal.removeEventListener("abort", this.#onAbort);
    this.#stop.abort();
    this.#start_timer?.cancel();
    await this.#playing;
    const gone = Promise.all([...this.#sessions].map((one) => one.gone));
    for (const session of this.#sessions) session.shutDown();
    const over = new AbortController();
    await Promise.race([gone, sleep(this.world.clock, CLOSE_DEADLINE_MS, over.signal)]);
    over.abort();
    for (const session of [...this.#sessions]) session.cut("shutdown");
    await this.#listener.close();
  }
}
