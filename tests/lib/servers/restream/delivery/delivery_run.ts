/**
 * A random life of one edge: real relays, cohorts, queues and history, between a market side and connections that the
 * run plays itself. After every step the accounts are checked, at the end everything drains and every view must be right.
 */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../../lib/base/clock.ts";
import { silentLog } from "../../../../../lib/base/log.ts";
import { Metrics } from "../../../../../lib/base/metrics.ts";
import { Random } from "../../../../../lib/base/random.ts";
import { EDGE_OPTIONS, edgeLimits } from "../../../../../lib/servers/restream/config.ts";
import { Client } from "../../../../../lib/servers/restream/edge/client.ts";
import { Edge } from "../../../../../lib/servers/restream/edge/edge.ts";
import { jsonFrame } from "../../../../../lib/servers/restream/json_frame.ts";
import { MERGEABLE } from "../../../../../lib/servers/restream/market_words.ts";
import { serverMetrics } from "../../../../../lib/servers/restream/server_metrics.ts";
import { handleOf, JSON_FORMAT, streamOf } from "../../../../../lib/servers/restream/stream_key.ts";
import { z } from "zod";
import { type Mode, StreamTruth, StreamView } from "./delivery_model.ts";
import { FakeConnection } from "./fake_connection.ts";

const INSTRUMENTS = 3;
const EPOCH = "epoch";
const MAX_QUEUE_BYTES = 65_536;

interface Fellow {
  connection: FakeConnection;
  client: Client;
  readonly views: Map<StreamTruth, StreamView>;
  read: number;
  /** How many writes the kernel takes at a time; 0: none. */
  pace: number;
  answers: boolean;
}
export interface RunFigures {
  delivered: number;
  announced: number;
  snapshots: number;
  resumed: number;
  slow_closes: number;
  shared: number;
}

export class DeliveryRun {
  readonly #clock = new ManualClock();
  readonly #random: Random;
  readonly #edge: Edge;
  readonly #truths = new Map<number, StreamTruth>();
  readonly #fellows: Fellow[] = [];
  readonly #open = new Set<number>();
  readonly figures: RunFigures = {
    delivered: 0,
    announced: 0,
    snapshots: 0,
    resumed: 0,
    slow_closes: 0,
    shared: 0,
  };
  /** Words about a stream say which by number. */
  readonly #by_stream = new Map<number, StreamTruth>();

  constructor(seed: string) {
    this.#random = new Random(seed);
    const metrics = serverMetrics(new Metrics());
    const options = z.object(EDGE_OPTIONS).parse({
      max_queue_bytes: MAX_QUEUE_BYTES,
      resume_bytes: 40_000,
      max_lag_ms: 300,
      shed_after_ms: 3_600_000,
    });
    this.#edge = new Edge({
      clock: this.#clock,
      random: this.#random.fork("edge"),
      log: silentLog,
      metrics,
      limits: edgeLimits(options),
      epoch: EPOCH,
      onClosed: (_client, reason) => reason === "slow" && this.figures.slow_closes++,
    });
    this.#edge.connect({
      open: (stream) => this.#onOpen(stream),
      close: (stream) => void this.#open.delete(stream),
      tellSnapshot: (stream) => this.#tellSnapshot(stream),
      tellStatus: (id) => this.#edge.statusNow(id, true, jsonFrame({ type: "status", id, in_sync: true })),
      refresh: () => this.#edge.refreshed(),
    });
    for (let id = 1; id <= INSTRUMENTS; id++) this.#edge.instrument(id, "mock", `S${id}`, undefined);
  }

  async run(steps: number): Promise<RunFigures> {
    for (let i = 0; i < 8; i++) this.#enter();
    for (let step = 0; step < steps; step++) {
      this.#step();
      this.#check();
      // Microtasks flush what no batch ended.
      if (step % 7 === 0) await Promise.resolve();
    }
    await this.#drain();
    for (const fellow of this.#fellows) {
      for (const view of fellow.views.values()) {
        view.checkEnd();
        this.figures.delivered += view.delivered;
        this.figures.announced += view.announced;
      }
      fellow.connection.end(1000);
    }
    assert.equal(this.#edge.clients.size, 0);
    await this.#edge.close();
    assert.equal(this.#clock.pending, 0, "timers left behind");
    return this.figures;
  }

  #step(): void {
    const random = this.#random;
    const roll = random.unit();
    if (roll < 0.55) return this.#market();
    if (roll < 0.75) return this.#kernel();
    if (roll < 0.80) return this.#clock.advance(random.integer(1, 60));
    if (roll < 0.84) this.#mood(random.pick(this.#fellows));
    else if (roll < 0.90) this.#subscribe(random.pick(this.#fellows));
    else if (roll < 0.92) this.#unsubscribe(random.pick(this.#fellows));
    else if (roll < 0.935) this.#comeBack(random.pick(this.#fellows));
    else if (roll < 0.945) this.#resync();
    else if (roll < 0.95) this.#edge.setPressure(false, random.chance(0.3));
    else if (roll < 0.955) this.#chatter();
    else if (roll < 0.965) this.#clock.advance(5_000);
    else this.#edge.flush();
  }
  #market(): void {
    const random = this.#random;
    if (this.#open.size === 0) return;
    for (let i = random.integer(1, 6); i > 0; i--) {
      const stream = random.pick([...this.#open]);
      const truth = this.#by_stream.get(stream)!;
      if (truth.mode === "book" && !truth.in_sync) continue;
      truth.seq++;
      const { seq, id } = truth;
      const filler = "x".repeat(random.chance(0.05) ? random.integer(500, 3_000) : random.integer(0, 120));
      const quantity = random.integer(1, 1e6);
      if (truth.mode === "book") {
        const level = random.integer(1, 30);
        truth.state.set(level, quantity);
        this.#edge.frame(
          stream,
          seq,
          0,
          jsonFrame({ type: "delta", stream, id, seq, level, quantity, filler }),
        );
      } else {
        truth.state.set(0, quantity);
        const flags = truth.mode === "bbo" || (truth.mode === "candles" && random.chance(0.7))
          ? MERGEABLE
          : 0;
        this.#edge.frame(stream, seq, flags, jsonFrame({ type: "value", stream, seq, quantity, filler }));
      }
    }
    if (random.chance(0.8)) this.#edge.flush();
  }
  /** Words that are never dropped: who reads nothing runs over its bound by them alone. */
  #chatter(): void {
    const id = this.#random.integer(1, INSTRUMENTS);
    const books = [...this.#truths.values()].filter((one) => one.id === id && one.mode === "book");
    const in_sync = books.every((one) => one.in_sync);
    for (let i = 0; i < 25; i++) {
      this.#edge.status(id, in_sync, jsonFrame({ type: "status", id, in_sync, filler: "x".repeat(1_500) }));
    }
  }
  /** A book leaves sync and comes back with another state. */
  #resync(): void {
    const books = [...this.#open].filter((stream) => this.#by_stream.get(stream)!.mode === "book");
    if (books.length === 0) return;
    const stream = this.#random.pick(books);
    const truth = this.#by_stream.get(stream)!;
    if (truth.in_sync) {
      truth.in_sync = false;
      this.#edge.hold(stream);
      this.#edge.status(truth.id, false, jsonFrame({ type: "status", id: truth.id, in_sync: false }));
      return;
    }
    this.#sync(stream, truth);
  }
  #sync(stream: number, truth: StreamTruth): void {
    truth.in_sync = true;
    truth.wholes.add(++truth.seq);
    truth.state.clear();
    truth.state.set(this.#random.integer(1, 30), 1);
    this.#edge.status(truth.id, true, jsonFrame({ type: "status", id: truth.id, in_sync: true }));
    this.#edge.snapshot(stream, truth.seq, this.#snapshotOf(stream));
  }
  #kernel(): void {
    for (const { connection, pace, answers } of this.#fellows) {
      if (pace > 0) connection.accept(pace);
      if (answers) connection.answerPings();
    }
  }
  #mood(fellow: Fellow): void {
    fellow.pace = this.#random.pick([0, 0, 1, 3, Infinity, Infinity]);
    fellow.answers = fellow.pace > 0;
  }

  #enter(): Fellow {
    const fellow: Fellow = {
      ...this.#connect(),
      views: new Map(),
      read: 0,
      pace: Infinity,
      answers: true,
    };
    this.#fellows.push(fellow);
    return fellow;
  }
  #connect(): { connection: FakeConnection; client: Client } {
    const connection = new FakeConnection();
    const identity = {
      id: `fellow-${this.#random.uint32()}`,
      peer: "192.0.2.1:1",
      format: JSON_FORMAT as 0,
      connected_ms: this.#clock.now_ms(),
    };
    const client = new Client(connection.ws, connection.socket, identity, this.#edge.client_context, 1_000);
    // Half of them belong to a tenant whose bytes per second run out now and then.
    if (this.#random.chance(0.5)) {
      const has_bytes = this.#random.fork("bytes");
      client.lease = {
        takeBytes: () => has_bytes.chance(0.95),
        retry_after_ms: () => 20,
        release: () => {},
      };
    }
    this.#edge.enter(client);
    return { connection, client };
  }
  #subscribe(fellow: Fellow): void {
    const random = this.#random;
    const id = random.integer(1, INSTRUMENTS);
    const channel = random.pick<Exclude<Mode, "status">>(["book", "trades", "bbo", "candles"]);
    const interval = channel === "candles" ? "1m" as const : undefined;
    const variant = { channel, interval };
    const stream = streamOf(handleOf(id, variant), JSON_FORMAT);
    const truth = this.#truthOf(stream, id, channel);
    if (!fellow.client.open) return;
    this.#read(fellow);
    // It begins anew: what waits for the old one may still come, so it is read out before.
    if (fellow.views.has(truth)) return;
    fellow.views.set(truth, new StreamView(truth));
    this.#edge.subscribe(fellow.client, id, variant, JSON_FORMAT);
  }
  #unsubscribe(fellow: Fellow): void {
    const subscriptions = [...fellow.client.by_stream.values()];
    if (subscriptions.length === 0 || fellow.client.queued_bytes > 0) return;
    const subscription = this.#random.pick(subscriptions);
    this.#read(fellow);
    fellow.client.drop(subscription);
    // What its cohort had for it goes out now, and belongs to the old view.
    fellow.client.flush();
    this.#read(fellow);
    fellow.views.delete(this.#by_stream.get(subscription.relay.topic.stream)!);
  }
  /** The connection ends in whatever state it is; the client comes back with what it has read. */
  #comeBack(fellow: Fellow): void {
    this.#read(fellow);
    fellow.connection.end(1006);
    Object.assign(fellow, this.#connect(), { read: 0, pace: Infinity, answers: true });
    for (const [truth, view] of fellow.views) {
      if (view.ended !== undefined || view.seq === undefined) {
        fellow.views.delete(truth);
        continue;
      }
      const stream = [...this.#by_stream].find(([, one]) => one === truth)![0];
      const interval = truth.mode === "candles" ? "1m" as const : undefined;
      const resume = { epoch: EPOCH, seq: view.seq };
      view.comeBack();
      this.#edge.subscribe(
        fellow.client,
        truth.id,
        { channel: truth.mode as Exclude<Mode, "status">, interval },
        JSON_FORMAT,
        resume,
      );
      assert.ok(this.#open.has(stream));
    }
  }

  #truthOf(stream: number, id: number, mode: Mode): StreamTruth {
    let truth = this.#truths.get(stream);
    if (truth === undefined) {
      this.#truths.set(stream, truth = new StreamTruth(id, mode));
      this.#by_stream.set(stream, truth);
    }
    return truth;
  }
  #onOpen(stream: number): void {
    this.#open.add(stream);
    const truth = this.#by_stream.get(stream)!;
    this.#edge.opened(stream, truth.seq);
    if (truth.mode === "bbo" && truth.state.has(0)) {
      const value = { type: "value", stream, seq: truth.seq, quantity: truth.state.get(0) };
      this.#edge.frame(stream, truth.seq, MERGEABLE, jsonFrame(value));
    }
    if (truth.mode === "book" && truth.in_sync) this.#tellSnapshot(stream);
  }
  #tellSnapshot(stream: number): void {
    const truth = this.#by_stream.get(stream)!;
    if (truth.in_sync) this.#edge.snapshot(stream, truth.seq, this.#snapshotOf(stream));
  }
  #snapshotOf(stream: number) {
    const { seq, state } = this.#by_stream.get(stream)!;
    return jsonFrame({ type: "snapshot", stream, seq, levels: [...state] });
  }

  /** What was written since, into the views. */
  #read(fellow: Fellow): void {
    const { messages } = fellow.connection;
    for (; fellow.read < messages.length; fellow.read++) {
      const message = messages[fellow.read];
      if (["heartbeat", "notice", "error"].includes(message.type)) continue;
      if (message.type === "status") {
        if (!message.in_sync) {
          for (const [truth, view] of fellow.views) if (truth.id === message.id) view.onHold();
        }
        continue;
      }
      if (message.type === "snapshot") this.figures.snapshots++;
      if (message.type === "resumed") this.figures.resumed++;
      const truth = message.stream === undefined
        ? this.#named(message)
        : this.#by_stream.get(message.stream)!;
      try {
        fellow.views.get(truth)?.take(message);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`${truth.mode} of S${truth.id}: ${why}: ${this.#lately(fellow, truth)}`, {
          cause: error,
        });
      }
    }
  }
  /** The last messages of one stream, for failures. */
  #lately({ connection, read }: Fellow, truth: StreamTruth): string {
    const of = connection.messages.slice(0, read + 1).filter((message) =>
      message.stream === undefined
        ? message.symbol === `S${truth.id}` && message.channel === truth.mode
        : this.#by_stream.get(message.stream) === truth
    );
    return of.slice(-6).map(({ filler: _, levels: __, ...rest }) => JSON.stringify(rest)).join(" ");
  }
  #named({ symbol, channel }: { symbol?: string; channel?: string }): StreamTruth {
    const found = [...this.#truths.values()].find((one) => one.mode === channel && `S${one.id}` === symbol);
    assert.ok(found, `${channel} of ${symbol}`);
    return found;
  }
  #check(): void {
    for (const fellow of this.#fellows) {
      const { client, connection } = fellow;
      this.#read(fellow);
      if (!client.open) {
        // Closed as slow or dead: a client comes back.
        this.#comeBack(fellow);
        continue;
      }
      let pending_bytes = 0;
      for (const frame of client.pendingFrames()) pending_bytes += frame.length;
      assert.equal(
        client.queued_bytes,
        pending_bytes + connection.unacked_bytes,
        "bytes accounted ≠ their sum",
      );
      assert.ok(client.queued_bytes <= MAX_QUEUE_BYTES, `${client.queued_bytes} bytes queued`);
      if (client.cohort && client.cohort.members.size > 1) this.figures.shared++;
    }
  }
  /** Everybody reads and answers until nothing moves. */
  async #drain(): Promise<void> {
    this.#edge.setPressure(false, false);
    for (const [stream, truth] of this.#by_stream) {
      if (truth.mode === "book" && !truth.in_sync && this.#open.has(stream)) this.#sync(stream, truth);
    }
    for (let round = 0; round < 60; round++) {
      for (const { connection } of this.#fellows) {
        connection.accept();
        connection.answerPings();
      }
      this.#clock.advance(50);
      this.#edge.flush();
      await Promise.resolve();
      this.#check();
    }
  }
}
