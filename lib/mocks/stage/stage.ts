/**
 * A whole mock venue: the tape is played once for everybody, the program takes each item into its state and says it in
 * the venue's words to those who subscribed; REST answers from that state. A finite tape waits for its subscriber; late
 * clients join what runs. After its end the sockets stay open and REST serves the final state.
 * Bounds: at full speed the tape waits for clients behind by `WAIT_ABOVE_BYTES` and cuts who does not read for 30 s; at
 * a market's own pace a client behind by `CUT_ABOVE_BYTES` is cut, as venues do. Both are counted.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { type Clock, sleep, type Timer } from "../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { withRates } from "../fault_spec.ts";
import type { Fault, FaultSpec, MarketState, MockOptions, MockStats, MockVenue } from "../mock.ts";
import type { Entry, Program, Subscription } from "./dialect.ts";
import { FaultPlan } from "./fault_plan.ts";
import { Listener } from "./listener.ts";
import { Player } from "./player.ts";
import { RestDesk } from "./rest_desk.ts";
import { Session } from "./session.ts";
import { StreamIndex } from "./stream_index.ts";
import type { StageItem } from "./tape.ts";

const WAIT_ABOVE_BYTES = 1024 * 1024;
const RESUME_BELOW_BYTES = 256 * 1024;
const CUT_ABOVE_BYTES = 8 * 1024 * 1024;
const READ_DEADLINE_MS = 30_000;
const CLOSE_DEADLINE_MS = 500;
/** At full speed a tape may be over before a client's first snapshot request arrives: it waits this long for it. */
const HOLD_MS = 1_000;
const ENCORE_MS = 250;
const DEFAULT_START_DELAY_MS = 500;
const DEFAULT_FAULT_UNTIL = 0.9;

export interface MockWorld {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/**
 * Opens a venue on its program.
 * @param known the faults that can happen at this venue
 * @throws UserError for a fault that cannot, or an address that cannot be had
 */
export async function openStage<Item extends StageItem>(
  program: Program<Item>,
  known: readonly Fault[],
  options: MockOptions,
  world: MockWorld,
): Promise<MockVenue> {
  const faults = withRates(options.faults);
  const foreign = faults.find(({ name }) => !known.includes(name));
  if (foreign) {
    throw new UserError(
      `inject fault ${quoted(foreign.name)}: cannot happen at ${program.name}, want ${known.join(", ")}`,
      { code: 2 },
    );
  }
  const stage = new Stage(program, faults, options, world);
  await stage.open();
  return stage;
}

class Stage<Item extends StageItem> implements MockVenue {
  ws_url = "";
  rest_url = "";
  readonly symbols: readonly string[];
  readonly #finished = Promise.withResolvers<void>();
  readonly finished = this.#finished.promise;
  readonly #stop = new AbortController();
  readonly #faults: FaultPlan;
  readonly #index = new StreamIndex<Item>();
  readonly #sessions = new Set<Session<Item>>();
  readonly #listener: Listener;
  readonly #player: Player<Item>;
  readonly #rest: RestDesk;
  #playing: Promise<void> | undefined;
  #start_timer: Timer | undefined;
  #encore: Timer | undefined;
  #is_finished = false;
  #next_id = 1;
  #frames_of_gone_clients = 0;
  #slow_clients_cut = 0;
  #closing: Promise<void> | undefined;
  readonly #onAbort = () => void this.#close();

  constructor(
    readonly program: Program<Item>,
    faults: readonly FaultSpec[],
    readonly options: MockOptions,
    readonly world: MockWorld,
  ) {
    const { clock } = world;
    const { tape, rest } = program;
    const signal = this.#stop.signal;
    this.symbols = [...tape.symbols.keys()];
    this.#faults = new FaultPlan(faults, options.seed);
    this.#player = new Player({
      tape,
      clock,
      speed: options.speed,
      signal,
      play: (item, position) => this.#play(item, position),
      flush: () => this.#flush(),
    });
    this.#rest = new RestDesk({
      rules: rest,
      whenBook: (symbol) => program.whenBook(symbol),
      faults: this.#faults,
      clock,
      signal,
      stats: () => this.stats(),
    });
    this.#listener = new Listener({
      request: (request, response) => this.#rest.handle(request, response),
      enter: (path) => this.#enter(path),
      failed: (error) => world.log.warn("mock request failed", { error }),
    });
  }

  async open(): Promise<void> {
    const address = await this.#listener.open(this.options.listen);
    this.ws_url = `ws://${address}`;
    this.rest_url = `http://${address}`;
    this.world.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (this.world.signal.aborted) return void this.#close();
    if (!this.program.tape.waits_for_subscriber) this.#start();
  }

  state(symbol: string): MarketState | undefined {
    return this.program.state(symbol);
  }
  stats(): MockStats {
    let frames_sent = this.#frames_of_gone_clients;
    for (const session of this.#sessions) frames_sent += session.outlet.frames_sent;
    return {
      venue: this.program.name,
      position: this.#player.position,
      total: this.program.tape.total,
      started: this.#playing !== undefined,
      finished: this.#is_finished,
      clients: this.#sessions.size,
      connections_accepted: this.#next_id - 1,
      frames_sent,
      rest_requests: this.#rest.requests,
      slow_clients_cut: this.#slow_clients_cut,
      capture_gaps: this.program.gaps,
      injected: { ...this.#faults.injected },
      last_update_ids: Object.fromEntries(
        this.symbols.map((name) => [name, this.program.lastId(name)]),
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #enter(path: string): ((socket: WebSocket, raw: Duplex) => void) | undefined {
    const entry = this.#stop.signal.aborted ? undefined : this.program.enter(path);
    return entry && ((socket, raw) => this.#welcome(socket, raw, entry));
  }
  #welcome(socket: WebSocket, raw: Duplex, entry: Entry<Item>): void {
    const { route } = entry;
    const taken = new Set([...this.#sessions].filter((one) => one.route === route).map((one) => one.slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    const session = new Session(socket, raw, {
      id: this.#next_id++,
      slot,
      entry,
      rules: this.program.rules,
      words: this.program.words,
      clock: this.world.clock,
      log: this.world.log,
      faults: this.#faults,
      index: this.#index,
      position: () => this.#player.position,
      onSubscribe: (...wish) => this.#considerStart(...wish),
      onClose: (gone) => {
        this.#frames_of_gone_clients += gone.outlet.frames_sent;
        this.#sessions.delete(gone);
      },
    });
    this.#sessions.add(session);
    session.begin();
  }

  /**
   * The subscription that the tape waits for arms the start; an audience on every route, or the delay, fires it. Where
   * the routes don't tell who is still to come, each new name begins the delay anew.
   */
  #considerStart(subscription: Subscription<Item>, is_first: boolean): void {
    if (this.#playing || this.#stop.signal.aborted) return;
    const { start_routes } = this.program;
    if (this.#start_timer ? is_first && !start_routes : this.program.starts(subscription)) {
      this.#start_timer?.cancel();
      const delay_ms = this.options.start_delay_ms ?? DEFAULT_START_DELAY_MS;
      this.#start_timer = this.world.clock.after(delay_ms, () => this.#start());
    }
    if (!this.#start_timer || !start_routes) return;
    const audience = [...this.#sessions].filter((one) => one.subscriptions.size > 0);
    if (start_routes.every((route) => audience.some((one) => one.route === route))) this.#start();
  }
  #start(): void {
    this.#start_timer?.cancel();
    if (this.#playing) return;
    const { log } = this.world;
    log.info("mock market starts", { venue: this.program.name, total: this.program.tape.total });
    this.#playing = this.#run().catch((error) => log.error(`play the tape: ${reasonOf(error)}`));
  }
  async #run(): Promise<void> {
    if (!await this.#player.run()) return;
    this.#calm();
    await this.#waitFor([...this.#sessions], 1);
    this.#is_finished = true;
    this.#finished.resolve();
    this.world.log.info("mock market served to its end; sockets stay open", { ...this.stats() });
    if (this.program.encore && !this.#stop.signal.aborted) {
      this.#encore = this.world.clock.every(ENCORE_MS, () => this.#sayAgain());
    }
  }
  #sayAgain(): void {
    for (const item of this.program.encore?.() ?? []) this.#tell(item, this.#player.position);
    for (const session of this.#sessions) session.outlet.flush();
  }

  #play(item: Item, position: number): void {
    const { program, options } = this;
    if (this.#faults.active) {
      const until = options.fault_until ?? DEFAULT_FAULT_UNTIL;
      if (program.tape.progress(item, position) >= until) this.#calm();
    }
    if (program.take(item)) this.#tell(item, position);
  }
  #tell(item: Item, position: number): void {
    // A copy: a disconnect fault takes its session out of the set.
    for (const { session, subscription } of [...this.#index.of(item)]) {
      session.deliver(subscription, item, position);
    }
  }
  #calm(): void {
    this.#faults.active = false;
    for (const session of this.#sessions) session.calm();
  }

  #flush(): Promise<void> | undefined {
    const full_speed = this.options.speed === Infinity;
    const lagging: Session<Item>[] = [];
    for (const session of this.#sessions) {
      session.outlet.flush();
      const { queued_bytes } = session.outlet;
      if (full_speed && queued_bytes > WAIT_ABOVE_BYTES) lagging.push(session);
      if (!full_speed && queued_bytes > CUT_ABOVE_BYTES) this.#cutSlow(session);
    }
    if (full_speed && this.program.tape.waits_for_subscriber) {
      const hold = this.program.holdUntil?.();
      if (hold) return this.#within(HOLD_MS, hold);
    }
    return lagging.length > 0 ? this.#waitFor(lagging, RESUME_BELOW_BYTES) : undefined;
  }
  async #waitFor(lagging: readonly Session<Item>[], below_bytes: number): Promise<void> {
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
  #cutSlow(session: Session<Item>): void {
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
    this.#encore?.cancel();
    const gone = Promise.all([...this.#sessions].map((one) => one.gone));
    for (const session of this.#sessions) session.shutDown();
    const over = new AbortController();
    await Promise.race([gone, sleep(this.world.clock, CLOSE_DEADLINE_MS, over.signal)]);
    over.abort();
    for (const session of [...this.#sessions]) session.cut("shutdown");
    await this.#listener.close();
  }
}
