/**
 * Market by order from end to end: random records of a data set through its mapper, the books and the server to clients
 * of both forms, whole and by depth. Whatever happens (cuts, lags, resyncs, crossed books), the book of orders is the
 * source's, queue by queue, and its levels are those of the channel `book`.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { Random } from "../../../lib/base/random.ts";
import { RestreamClient } from "../../../lib/client/client.ts";
import type { Wish } from "../../../lib/client/wish.ts";
import type { OrderBookView } from "../../../lib/market/order_queue_book.ts";
import type { Server } from "../../../lib/servers/server.ts";
import { websocket } from "../../../lib/servers/restream/websocket.ts";
import { until } from "../../end_to_end/until.ts";
import { is_long } from "../../services.ts";
import { type Message, TestClient } from "../servers/restream/test_client.ts";
import { OrderMarket, SIDES, SYMBOL, VENUE } from "./order_market.ts";

class Follower implements Disposable {
  readonly troubles: string[] = [];
  readonly actions = new Set<string>();
  snapshots = 0;
  resumed = 0;
  lags = 0;
  readonly client: RestreamClient;

  constructor(url: string, binary: boolean, readonly depth: number | undefined) {
    this.client = new RestreamClient(
      { urls: [url], binary, reconnect: { first_ms: 1, max_ms: 5 } },
      { clock: systemClock, random: new Random(`${binary}`) },
      {
        market: (message) => {
          if (message.type !== "orders_delta") return;
          for (const { action } of message.changes) this.actions.add(action);
        },
        orders: (_orders, event) => {
          if (event === "snapshot") this.snapshots++;
          if (event === "resumed") this.resumed++;
        },
        gap: ({ channel }) => void (channel === "orders" && this.lags++),
        unreadable: (reason) => void this.troubles.push(reason),
        control: ({ type, message }) => void (type === "error" && this.troubles.push(String(message))),
      },
    );
    for (const channel of ["book", "orders"] as const) {
      this.client.subscribe({ venue: VENUE, symbol: SYMBOL, channel, depth } satisfies Wish);
    }
  }
  get orders() {
    const kept = this.client.orders(VENUE, SYMBOL);
    return kept?.in_sync ? kept.book : undefined;
  }
  get book() {
    const kept = this.client.book(VENUE, SYMBOL);
    return kept?.in_sync ? kept.book : undefined;
  }
  /** For the explanation of a failure. */
  standing(market: OrderMarket): string {
    const [orders, book] = [this.client.orders(VENUE, SYMBOL), this.client.book(VENUE, SYMBOL)];
    return JSON.stringify([
      market.orders?.sequence ?? "unknown",
      [orders?.seq, orders?.reason, book?.seq, book?.reason],
      [this.lags, this.snapshots, this.troubles, market.orders?.orders.order_count],
    ]);
  }
  /** It stands where the market stands, in both channels. */
  stands(market: OrderMarket): boolean {
    const { orders, book } = this;
    if (orders === undefined || book === undefined || market.orders === undefined) return false;
    return JSON.stringify(queues(orders)) === JSON.stringify(queues(market.orders.orders, this.depth)) &&
      JSON.stringify(levelsOf(orders)) === JSON.stringify(levelsIn(book));
  }
  [Symbol.dispose](): void {
    this.client.close();
  }
}

const queues = (book: OrderBookView, depth?: number) =>
  SIDES.map((side) =>
    [...book.orders(side, depth)].map(({ id, price, quantity, since_us }) =>
      [String(id), price, quantity, Math.floor(since_us)].join(" ")
    )
  );
const levelsOf = (book: OrderBookView) =>
  SIDES.map((side) => book.levels(side).map(({ price, quantity }) => [price, quantity]));
const levelsIn = ({ bids, asks }: NonNullable<Follower["book"]>) =>
  [bids, asks].map((side) => Array.from({ length: side.size }, (_, i) => [side.price(i), side.quantity(i)]));

async function withMarket(
  seed: string,
  config: Record<string, unknown>,
  work: (market: OrderMarket, server: Server) => Promise<void>,
): Promise<void> {
  const market = new OrderMarket(new Random(seed));
  await using server = await websocket.open(
    websocket.schema.parse({ listen: "127.0.0.1:0", ...config }),
    market.dispatcher,
  );
  await work(market, server);
}
const turn = () => new Promise((resolve) => systemClock.after(1, () => resolve(0)));

Deno.test("orders by deltas are the source's, queue by queue, through cuts, resyncs and crossed books, in both forms", () =>
  withMarket("orders", {}, async (market, { url }) => {
    const { random } = market;
    const followers = [undefined, 1, 5].flatMap((depth) =>
      [false, true].map((binary) => new Follower(url, binary, depth))
    );
    const all = (what: string) =>
      until(
        what,
        () => followers.every((one) => one.stands(market)),
        10_000,
        () =>
          followers.map((one) => [one.depth, one.client.notReady(), one.troubles, one.stands(market)].join())
            .join("; "),
      );
    try {
      await all("the first books");
      for (let step = 1; step <= (is_long ? 3_000 : 400); step++) {
        market.step();
        if (random.chance(0.02)) market.interrupt();
        if (random.chance(0.05)) random.pick(followers).client.reconnect("cut by the test");
        if (random.chance(0.2)) await turn();
        if (step % 40 === 0) await all(`step ${step}`);
      }
      await all("the end");
      for (const one of followers) assert.deepEqual(one.troubles, []);
      assert.ok(followers.some(({ resumed }) => resumed > 0), "nothing was ever resumed");
      const whole = followers.filter(({ depth }) => depth === undefined);
      for (const { actions } of whole) {
        assert.deepEqual([...actions].toSorted(), ["add", "cancel", "execute", "modify"]);
      }
      const [one] = whole;
      const [{ client }] = followers;
      // Both channels count alike where they are whole.
      assert.equal(client.orders(VENUE, SYMBOL)!.seq, client.book(VENUE, SYMBOL)!.seq);
      const some = [...market.orders!.orders.orders("bid")].at(-1)!;
      const id = typeof some.id === "bigint" ? String(some.id) : some.id;
      assert.deepEqual(one.orders!.position(id), market.orders!.orders.position(some.id));
    } finally {
      for (const one of followers) one[Symbol.dispose]();
    }
  }));

/** Queues kept by the document's words alone ("Keeping a book of orders"), in plain lists. */
class MirrorOrders {
  seq: number | undefined;
  readonly sides: Record<string, [id: unknown, price: number, quantity: number][]> = { bid: [], ask: [] };

  take({ type, seq, bids, asks, changes }: Message): void {
    if (type === "orders_snapshot") {
      for (const [side, orders] of [["bid", bids], ["ask", asks]]) {
        this.sides[side] = orders.map((
          [id, price, quantity]: [unknown, number, number],
        ) => [id, price, quantity]);
      }
    } else if (type === "orders_delta") {
      assert.equal(seq, this.seq! + 1);
      for (const change of changes) this.#change(change);
    } else return;
    this.seq = seq;
  }
  #change([action, side, id, price, quantity]: [string, string, unknown, number, number]): void {
    const orders = this.sides[side];
    const at = orders.findIndex(([one]) => one === id);
    assert.equal(at < 0, action === "add");
    if (at >= 0 && quantity > 0 && orders[at][1] === price && quantity <= orders[at][2]) {
      orders[at][2] = quantity;
      return;
    }
    if (at >= 0) orders.splice(at, 1);
    if (quantity > 0) orders.push([id, price, quantity]);
  }
  /** Best price first; within a price as they stand. */
  queues(): string[][] {
    return SIDES.map((side) =>
      this.sides[side].toSorted((a, b) => side === "bid" ? b[1] - a[1] : a[1] - b[1]).map((one) =>
        one.join(" ")
      )
    );
  }
}

Deno.test("the document's words alone keep the queues: an independent reader, after every message", () =>
  withMarket("mirror", {}, async (market, server) => {
    for (const depth of [undefined, 5]) {
      await using client = await TestClient.connect(server);
      const asked = { type: "subscribe", venue: VENUE, symbol: SYMBOL, channel: "orders", depth };
      assert.equal((await client.ask(asked)).type, "subscribed");
      await client.next("orders_snapshot");
      const mirror = new MirrorOrders();
      let read = 0;
      for (let step = 0; step < 100; step++) {
        market.step();
        if (step === 50) market.interrupt();
        await client.ask({ type: "ping" });
        while (read < client.messages.length) mirror.take(client.messages[read++]);
        const want = queues(market.orders!.orders, depth)
          .map((side) => side.map((one) => one.slice(0, one.lastIndexOf(" "))));
        assert.deepEqual(mirror.queues(), want, `depth ${depth}, step ${step}`);
      }
      assert.deepEqual(
        client.messages.filter(({ type }) => type === "status").map(({ in_sync }) => in_sync),
        [false, true],
      );
      assert.ok(client.messages.filter(({ type }) => type === "orders_snapshot").length >= 2);
    }
  }));

Deno.test("who reads too slowly skips orders, is told, and gets them whole", () =>
  withMarket("slow orders", { max_queue_bytes: 1_048_576 }, async (market, { url }) => {
    using slow = new Follower(url, false, undefined);
    using swift = new Follower(url, true, undefined);
    await until("the books", () => [slow, swift].every((one) => one.stands(market)));
    slow.client.pause();
    // More than any socket holds: the kernel's buffers, then the server's queue.
    for (let step = 1; step <= 5_000 && skipped(market) < 20; step++) {
      market.step(400);
      if (step % 5 === 0) {
        await until(
          "the swift one",
          () => swift.stands(market),
          5_000,
          () => swift.standing(market),
        );
      }
    }
    slow.client.resume();
    await until("the slow one", () => slow.stands(market));
    assert.ok(slow.lags > 0, "never lagged");
    assert.ok(slow.snapshots > 1);
    assert.deepEqual([swift.troubles, slow.troubles], [[], []]);
  }));

function skipped({ dispatcher: { metrics } }: OrderMarket): number {
  return metrics.counter("mdg_websocket_skipped_frames_total", "", ["channel"]).with("orders").value;
}
