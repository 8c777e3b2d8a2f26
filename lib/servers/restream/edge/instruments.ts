/** What this edge knows of the market: every instrument by id and by symbol, its streams, and who asked how it stands. */
import { handleOf, JSON_FORMAT, streamOf } from "../stream_key.ts";
import { FrameHistory } from "./frame_history.ts";
import type { Relay } from "./relay.ts";
import type { Subscription } from "./subscription.ts";
import { StatusRelay } from "./value_relays.ts";

export class EdgeInstrument {
  in_sync = false;
  /** Streams beside the status. */
  readonly relays = new Set<Relay>();
  readonly status: StatusRelay;
  /** Subscriptions that wait to hear how it stands. */
  readonly curious = new Set<Subscription>();

  constructor(
    readonly id: number,
    readonly venue: string,
    readonly symbol: string,
    /** Why clients may not have it. */
    readonly withheld: string | undefined,
  ) {
    const handle = handleOf(id, { channel: "status" });
    const topic = {
      channel: "status",
      stream: streamOf(handle, JSON_FORMAT),
      target: handle,
      venue,
      symbol,
    } as const;
    this.status = new StatusRelay(topic, NO_RESUME);
    this.status.onOpened(0);
  }
  takeCurious(): Subscription[] {
    const all = [...this.curious];
    this.curious.clear();
    return all;
  }
}

/** Words on sync are not replayed: a newcomer is told how it is now. */
const NO_RESUME = {
  epoch: "",
  history: new FrameHistory(0, 0),
  tellSnapshot: () => {},
};

export class Instruments {
  readonly #by_id = new Map<number, EdgeInstrument>();
  readonly #by_symbol = new Map<string, EdgeInstrument[]>();

  add(id: number, venue: string, symbol: string, withheld: string | undefined): EdgeInstrument {
    const made = new EdgeInstrument(id, venue, symbol, withheld);
    this.#by_id.set(id, made);
    const same = this.#by_symbol.get(symbol);
    if (same) same.push(made);
    else this.#by_symbol.set(symbol, [made]);
    return made;
  }
  remove(id: number): EdgeInstrument | undefined {
    const found = this.#by_id.get(id);
    if (found === undefined) return undefined;
    this.#by_id.delete(id);
    const rest = this.#by_symbol.get(found.symbol)!.filter((one) => one !== found);
    if (rest.length > 0) this.#by_symbol.set(found.symbol, rest);
    else this.#by_symbol.delete(found.symbol);
    return found;
  }
  get(id: number): EdgeInstrument | undefined {
    return this.#by_id.get(id);
  }
  all(): Iterable<EdgeInstrument> {
    return this.#by_id.values();
  }
  withSymbol(symbol: string): readonly EdgeInstrument[] {
    return this.#by_symbol.get(symbol) ?? [];
  }
  forgetRelay(relay: Relay): void {
    for (const one of this.withSymbol(relay.topic.symbol)) one.relays.delete(relay);
  }
}
