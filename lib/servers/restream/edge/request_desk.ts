/**
 * Answers what clients say. Wildcard subscriptions live here, so that an instrument added while running reaches those who
 * asked for all. A symbol that this edge does not know yet is asked of the market side once before it is called unknown.
 */
import { quoted } from "../../../base/errors.ts";
import type { Grant } from "../../access/access.ts";
import {
  ANY_SYMBOL,
  type Problem,
  readRequest,
  type Request,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from "../protocol.ts";
import { handleOf, type Variant } from "../stream_key.ts";
import type { Client } from "./client.ts";
import type { Edge } from "./edge.ts";
import type { EdgeInstrument } from "./instruments.ts";

/** Symbols named in an error. */
const MAX_SUGGESTED = 20;
/** Requests waiting for the market side's word on a symbol. */
const MAX_WAITING = 1_000;

type Wish = Pick<SubscribeRequest, "channel" | "venue" | "depth" | "interval_ms" | "interval">;

export class RequestDesk {
  /** Client → what it wants of every symbol; at most one wish per channel and venue, within its subscription limit. */
  readonly #wishes = new Map<Client, Map<string, Wish>>();
  #waiting: { client: Client; request: SubscribeRequest }[] = [];
  #asking = false;
  /** What to do with an `auth` message; the door knows. */
  onAuth: (client: Client, token: string, id: Request["id"]) => void = () => {};

  constructor(readonly edge: Edge) {}

  /** One text message of a client. */
  onMessage(client: Client, text: string): void {
    const read = readRequest(text);
    if ("problem" in read) return client.sendError(read.problem);
    const { request } = read;
    if (request.type === "auth") return this.onAuth(client, request.token, request.id);
    if (client.grant === undefined) {
      const message = `answer ${request.type}: not authenticated, want {"type":"auth","token":"…"} first`;
      return client.sendError({ code: "auth_required", message, id: request.id });
    }
    const problem = this.#answer(client, client.grant, request);
    if (problem) client.sendError({ ...problem, id: request.id });
  }
  onClose(client: Client): void {
    this.#wishes.delete(client);
  }
  /** The market side has told all it knows. */
  onRefreshed(): void {
    if (!this.#asking) return;
    this.#asking = false;
    for (const { client, request } of this.#waiting.splice(0)) {
      if (client.grant === undefined || !client.open) continue;
      const problem = this.#subscribe(client, client.grant, request, false);
      if (problem) client.sendError({ ...problem, id: request.id });
    }
  }
  /** An instrument not seen before: those who wished for all get it. */
  onInstrument(instrument: EdgeInstrument): void {
    if (instrument.withheld !== undefined) return;
    for (const [client, wishes] of this.#wishes) {
      for (const wish of wishes.values()) this.#grant(client, wish, instrument);
    }
  }
  /** The client's rights changed: what it may no longer have ends. */
  review(client: Client, grant: Grant): void {
    for (const subscription of [...client.by_stream.values()]) {
      const { venue, symbol, channel, depth } = subscription.relay.topic;
      if (grant.refuses(venue, symbol, channel, depth) === undefined) continue;
      client.drop(subscription);
      client.sayEnded(subscription, "not_entitled");
    }
  }

  #answer(client: Client, grant: Grant, request: Exclude<Request, { type: "auth" }>): Problem | undefined {
    switch (request.type) {
      case "subscribe":
        return this.#subscribe(client, grant, request, true);
      case "unsubscribe":
        return this.#unsubscribe(client, request);
      case "list":
        client.say({
          type: "subscriptions",
          id: request.id,
          subscriptions: [...client.by_stream.values()].map(({ relay }) => {
            const { venue, symbol, channel, depth, interval_ms, interval } = relay.topic;
            // Not yet known where a Worker has only just asked for the stream.
            const seq = relay.opened ? relay.seq : undefined;
            return { venue, symbol, channel, depth, interval_ms, interval, seq };
          }),
        });
        return undefined;
      case "ping":
        client.say({ type: "pong", id: request.id, timestamp: this.edge.options.clock.now_ms() });
        return undefined;
    }
  }
  #subscribe(client: Client, grant: Grant, request: SubscribeRequest, may_ask: boolean): Problem | undefined {
    const { id, symbol, channel, venue, depth, interval_ms, interval, resume } = request;
    if (this.edge.refuse_newcomers) {
      return { code: "busy", message: `subscribe to ${quoted(symbol)}: memory is short, try again later` };
    }
    const found = this.#find(symbol, venue);
    if (found.length === 0 && symbol !== ANY_SYMBOL) {
      const withheld = this.edge.instruments.withSymbol(symbol).find((one) => isFor(one, venue));
      if (withheld === undefined && may_ask && this.#ask(client, request)) return undefined;
      return withheld ? notForClients(withheld) : this.#unknown(symbol, venue);
    }
    let refused: string | undefined;
    const entitled = found.filter((one) => {
      const why = grant.refuses(one.venue, one.symbol, channel, depth);
      refused ??= why;
      return why === undefined;
    });
    if (entitled.length === 0 && refused !== undefined) {
      return { code: "not_entitled", message: `subscribe to ${quoted(symbol)}, ${channel}: ${refused}` };
    }
    const target = (one: EdgeInstrument) => handleOf(one.id, { channel, interval });
    const fresh = entitled.filter((one) => !client.by_target.has(target(one))).length;
    const total = client.by_target.size + fresh;
    const max = this.#maxSubscriptions(grant);
    if (total > max) {
      const message = `subscribe to ${quoted(symbol)}: ${total} in all, want at most ${max}`;
      return { code: "too_many_subscriptions", message };
    }
    if (symbol === ANY_SYMBOL && !this.#wish(client, request, max)) {
      return { code: "too_many_subscriptions", message: 'subscribe to "*": too many venues, want fewer' };
    }
    const variant = { channel, depth, interval_ms, interval };
    this.#sayBegun(client, { id, symbol, venue }, variant, entitled);
    for (const one of entitled) this.edge.subscribe(client, one.id, variant, client.identity.format, resume);
    return undefined;
  }
  #wish(client: Client, request: SubscribeRequest, max: number): boolean {
    const wishes = this.#wishes.get(client) ?? new Map<string, Wish>();
    const key = wishKey(request);
    if (!wishes.has(key) && wishes.size >= max) return false;
    const { channel, venue, depth, interval_ms, interval } = request;
    wishes.set(key, { channel, venue, depth, interval_ms, interval });
    this.#wishes.set(client, wishes);
    return true;
  }
  #grant(client: Client, wish: Wish, instrument: EdgeInstrument): void {
    const { id, venue, symbol } = instrument;
    const { grant } = client;
    if (grant === undefined || (wish.venue !== undefined && wish.venue !== venue)) return;
    const { channel, depth, interval_ms, interval } = wish;
    if (grant.refuses(venue, symbol, channel, depth) !== undefined) return;
    if (client.by_target.has(handleOf(id, { channel, interval }))) return;
    const max = this.#maxSubscriptions(grant);
    if (client.by_target.size >= max) {
      const message = `subscribe to new symbol ${quoted(symbol)}: want at most ${max} in all`;
      return client.sendError({ code: "too_many_subscriptions", message });
    }
    const variant = { channel, depth, interval_ms, interval };
    this.#sayBegun(client, { symbol, venue }, variant, [instrument]);
    this.edge.subscribe(client, id, variant, client.identity.format);
  }
  #sayBegun(
    client: Client,
    asked: Pick<SubscribeRequest, "id" | "symbol" | "venue">,
    variant: Variant,
    instruments: readonly EdgeInstrument[],
  ): void {
    client.say({
      type: "subscribed",
      ...asked,
      ...variant,
      epoch: this.edge.options.epoch,
      instruments: instruments.map((one) => ({
        venue: one.venue,
        symbol: one.symbol,
        handle: handleOf(one.id, variant),
      })),
    });
  }
  #unsubscribe(client: Client, request: UnsubscribeRequest): Problem | undefined {
    const { id, symbol, channel, venue, interval } = request;
    const ended = [...client.by_stream.values()].filter(({ relay: { topic } }) =>
      topic.channel === channel && (symbol === ANY_SYMBOL || topic.symbol === symbol) &&
      (venue === undefined || topic.venue === venue) &&
      (interval === undefined || topic.interval === interval)
    );
    let withdrawn = 0;
    if (symbol === ANY_SYMBOL) {
      for (const [key, wish] of this.#wishes.get(client) ?? []) {
        if (wish.channel !== channel || (venue !== undefined && wish.venue !== venue)) continue;
        if (interval !== undefined && wish.interval !== interval) continue;
        this.#wishes.get(client)!.delete(key);
        withdrawn++;
      }
    }
    if (ended.length === 0 && withdrawn === 0) {
      const message = `unsubscribe ${quoted(symbol)} from ${channel}: not subscribed, see {"type":"list"}`;
      return { code: "not_subscribed", message };
    }
    for (const subscription of ended) client.drop(subscription);
    const instruments = ended.map(({ relay: { topic } }) => ({ venue: topic.venue, symbol: topic.symbol }));
    client.say({ type: "unsubscribed", id, symbol, channel, venue, interval, instruments });
    return undefined;
  }

  /** Puts the request off until the market side has told what it knows. False: too many wait. */
  #ask(client: Client, request: SubscribeRequest): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push({ client, request });
    if (!this.#asking) {
      this.#asking = true;
      this.edge.desk.refresh();
    }
    return true;
  }
  #maxSubscriptions(grant: Grant): number {
    return Math.min(this.edge.options.limits.max_subscriptions, grant.limits.max_subscriptions);
  }
  #find(symbol: string, venue: string | undefined): EdgeInstrument[] {
    const { instruments } = this.edge;
    const some = symbol === ANY_SYMBOL ? [...instruments.all()] : instruments.withSymbol(symbol);
    return some.filter((one) => isFor(one, venue) && one.withheld === undefined);
  }
  #unknown(symbol: string, venue: string | undefined): Problem {
    const known = this.#find(ANY_SYMBOL, venue);
    const named = known.slice(0, MAX_SUGGESTED).map((one) => one.symbol).join(", ");
    const more = known.length > MAX_SUGGESTED ? ` and ${known.length - MAX_SUGGESTED} more` : "";
    const where = venue === undefined ? "" : ` of venue ${quoted(venue)}`;
    const wanted = known.length === 0
      ? `no symbol${where} is known yet`
      : `want one of ${named}${more}, or "*"`;
    return { code: "unknown_symbol", message: `find symbol ${quoted(symbol)}${where}: unknown, ${wanted}` };
  }
}

function notForClients({ venue, symbol, withheld }: EdgeInstrument): Problem {
  const what = `subscribe to ${quoted(symbol)} of venue ${quoted(venue)}`;
  return { code: "not_for_clients", message: `${what}: not handed to clients, ${withheld}` };
}

function isFor(instrument: EdgeInstrument, venue: string | undefined): boolean {
  return venue === undefined || instrument.venue === venue;
}

function wishKey({ channel, venue, interval }: Wish): string {
  return `${channel}\u0000${venue ?? ""}\u0000${interval ?? ""}`;
}
