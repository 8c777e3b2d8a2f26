/**
 * The client and the server of the protocol against each other: whatever the market does, both forms say the same, and
 * books and trades come through cuts whole.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { Random } from "../../../lib/base/random.ts";
import { RestreamClient } from "../../../lib/client/client.ts";
import type { MarketMessage } from "../../../lib/client/messages.ts";
import type { Wish } from "../../../lib/client/wish.ts";
import type { LevelList } from "../../../lib/market/level_list.ts";
import { until } from "../../end_to_end/until.ts";
import { is_long } from "../../services.ts";
import type { FakeHub, Pairs } from "../servers/fake_hub.ts";
import { hubBook, withServer } from "../servers/restream/test_client.ts";

const HEAD = { venue: "mock", symbol: "BTCUSDT" };
const BOOK: Wish = { ...HEAD, channel: "book" };
const TRADES: Wish = { ...HEAD, channel: "trades" };

const pairs = ({ size, prices, quantities, exact_quantities }: LevelList) =>
  Array.from({ length: size }, (_, i) => [prices[i], exact_quantities?.get(i) ?? quantities[i]]);

class Listener implements Disposable {
  readonly messages: string[] = [];
  readonly trades: number[] = [];
  readonly troubles: string[] = [];
  resumed = 0;
  snapshots = 0;
  readonly client: RestreamClient;

  constructor(url: string, wishes: readonly Wish[], binary: boolean) {
    this.client = new RestreamClient(
      { urls: [url], binary, reconnect: { first_ms: 1, max_ms: 5 } },
      { clock: systemClock, random: new Random(`${binary}`) },
      {
        market: (message) => this.#note(message),
        book: (_book, event) => {
          if (event === "resumed") this.resumed++;
          if (event === "snapshot") this.snapshots++;
        },
        gap: ({ channel, missed, reason }) => void this.troubles.push(`gap ${channel} ${missed} ${reason}`),
        unreadable: (reason) => void this.troubles.push(reason),
        control: ({ type, message }) => {
          if (type === "error") this.troubles.push(String(message));
        },
      },
    );
    for (const wish of wishes) this.client.subscribe(wish);
  }
  #note(message: MarketMessage): void {
    if (message.type === "trade" && typeof message.trade_id === "number") this.trades.push(message.trade_id);
    const plain = message.type === "snapshot" || message.type === "delta"
      ? { ...message, bids: pairs(message.bids), asks: pairs(message.asks) }
      : message;
    this.messages.push(JSON.stringify(plain));
  }
  book() {
    const { book, in_sync, reason } = this.client.book(HEAD.venue, HEAD.symbol) ?? {};
    if (!in_sync) return reason;
    const side = (one: NonNullable<typeof book>["bids"]) =>
      Array.from({ length: one.size }, (_, i) => [one.price(i), one.quantity(i)]);
    return { bids: side(book!.bids), asks: side(book!.asks) };
  }
  [Symbol.dispose](): void {
    this.client.close();
  }
}

function randomChange(random: Random, low: number, high: number): Pairs {
  return Array.from({ length: random.integer(0, 4) }, () => [
    random.integer(low, high) / 10,
    random.chance(0.4) ? 0 : random.integer(1, 1_000_000) / 10 ** random.integer(0, 8),
  ]);
}
/** One of everything that a market says. */
function happen(hub: FakeHub, random: Random, step: number): void {
  const head = { ...HEAD, received_us: (1_700_000_000_000 + step) * 1000 };
  const number = () => random.integer(-1_000_000, 1_000_000) / 10 ** random.integer(0, 9);
  switch (random.integer(0, 6)) {
    case 0:
      return hub.trade("BTCUSDT", step, number(), Math.abs(number()) + 1);
    case 1:
      return hub.offer({
        kind: "trade",
        ...head,
        venue_trade_id: `ü-${step}`,
        price: number(),
        quantity: 12345678901234567890,
        exact_quantity: "12345678901234567890.125",
      });
    case 2:
      return hub.offer({
        kind: "quote",
        ...head,
        update_id: step,
        bid: number(),
        bid_quantity: 3,
        ask: number(),
      });
    case 3:
      return hub.offer({
        kind: "ticker",
        ...head,
        last_price: number(),
        open_time_ms: 1_700_000_000_000 + step,
        trade_count: step,
        session: "pre",
        extra: { "mark price": 1e-7, name: "ü" },
      });
    case 4:
      return hub.offer({
        kind: "candle",
        ...head,
        interval: "1m",
        open_time_ms: 60_000 * step,
        close_time_ms: 60_000 * step + 59_999,
        open: number(),
        high: number(),
        low: number(),
        close: number(),
        volume: Math.abs(number()),
        trade_count: random.chance(0.5) ? step : undefined,
        closed: random.chance(0.5),
        ...(random.chance(0.3) ? { incomplete: true as const } : {}),
      });
    default:
      return hub.change("BTCUSDT", randomChange(random, 900, 1000), randomChange(random, 1001, 1100));
  }
}

Deno.test("the binary form says what JSON says, message by message", () =>
  withServer(async (server, hub) => {
    const random = new Random("forms");
    for (const depth of [undefined, 5]) {
      hub.sync("BTCUSDT", [[100, 1]], [[101, 1]], 1_000_000_000_000_000);
      const wishes: Wish[] = [
        { ...BOOK, depth },
        TRADES,
        { ...HEAD, channel: "bbo" },
        { ...HEAD, channel: "ticker" },
        { ...HEAD, channel: "candles", interval: "1m" },
      ];
      using json = new Listener(server.url, wishes, false);
      using binary = new Listener(server.url, wishes, true);
      const listeners = [json, binary];
      await until("both books", () => listeners.every((one) => typeof one.book() === "object"));
      // The snapshots may differ: the second came later.
      hub.sync("BTCUSDT", [[100, 1], [99.5, 1e-8]], [[101, 1]], 1_000_000_000_000_100);
      await until("the marker", () => listeners.every((one) => one.snapshots >= 2 || depth !== undefined));
      for (const one of listeners) one.messages.length = 0;
      for (let step = 1; step <= (is_long ? 5_000 : 500); step++) {
        happen(hub, random, step);
        if (step % 20 === 0) {
          hub.flush();
          const trades = step / 20;
          hub.trade("BTCUSDT", 1_000_000 + trades);
          hub.flush();
          await until("both to follow", () =>
            listeners.every((one) => one.trades.at(-1) === 1_000_000 + trades));
        }
      }
      const sorted = ({ messages }: Listener) =>
        messages.toSorted();
      assert.deepEqual(sorted(binary), sorted(json));
      assert.ok(json.messages.length > 300, `${json.messages.length} messages`);
      for (const one of listeners) {
        assert.deepEqual(one.troubles, []);
        assert.deepEqual(one.book(), hubBook(hub, "BTCUSDT", depth));
      }
    }
  }));

Deno.test("cut again and again, books and trades are whole all the same: resumed, or taken anew", () =>
  withServer(async (server, hub) => {
    const random = new Random("cuts");
    hub.sync("BTCUSDT", [[100, 1]], [[101, 1]], 1);
    const listeners = [undefined, 10].flatMap((depth) =>
      [false, true].map((binary) => new Listener(server.url, [{ ...BOOK, depth }, TRADES], binary))
    );
    try {
      await until("the books", () => listeners.every((one) => typeof one.book() === "object"));
      // A channel of which nothing came yet has no sequence to go on from.
      const trades = [1];
      await until("the first trade", () => {
        if (listeners.every((one) => one.trades.length > 0)) return true;
        hub.trade("BTCUSDT", trades[0]);
        hub.flush();
        return false;
      });
      for (const one of listeners) one.trades.splice(0, Infinity, ...trades);
      for (let step = 2; step <= (is_long ? 2_000 : 200); step++) {
        for (let i = random.integer(0, 3); i > 0; i--) {
          hub.change("BTCUSDT", randomChange(random, 900, 1000), randomChange(random, 1001, 1100));
        }
        trades.push(step);
        hub.trade("BTCUSDT", step);
        hub.flush();
        if (random.chance(0.03)) {
          hub.unsync("BTCUSDT");
          hub.sync("BTCUSDT", randomChange(random, 900, 1000), [[1_010, 1]], 10_000 + 100 * step);
        }
        if (random.chance(0.1)) random.pick(listeners).client.reconnect("cut by the test");
        if (random.chance(0.3)) await new Promise((resolve) => systemClock.after(1, () => resolve(0)));
      }
      await until(
        "the trades",
        () => listeners.every((one) => one.trades.at(-1) === trades.at(-1)),
        10_000,
        () => listeners.map((one) => `${one.trades.length} ${one.client.notReady()}`).join(),
      );
      for (const [i, one] of listeners.entries()) {
        assert.deepEqual(one.trades, trades, `listener ${i}`);
        assert.deepEqual(one.book(), hubBook(hub, "BTCUSDT", i < 2 ? undefined : 10), `listener ${i}`);
        assert.deepEqual(one.troubles, [], `listener ${i}`);
      }
      assert.ok(listeners.some(({ resumed }) => resumed > 0), "nothing was ever resumed");
    } finally {
      for (const one of listeners) one[Symbol.dispose]();
    }
  }));

Deno.test("a reader that stops for a while is told what it missed, and its book is right again", () =>
  withServer(async (server, hub) => {
    hub.sync("BTCUSDT", [[100, 1]], [[101, 1]], 1);
    using slow = new Listener(server.url, [BOOK, TRADES], false);
    using swift = new Listener(server.url, [BOOK, TRADES], true);
    await until("the books", () => [slow, swift].every((one) => typeof one.book() === "object"));
    slow.client.pause();
    // More than any socket holds: the kernel's buffers, then the server's queue.
    for (let step = 1; step <= 1_500; step++) {
      const levels: Pairs = Array.from({ length: 400 }, (_, i) => [10 + i / 10, step + i]);
      hub.change("BTCUSDT", levels, []);
      hub.trade("BTCUSDT", step);
      hub.flush();
      if (step % 50 === 0) await until("the swift one", () => swift.trades.at(-1) === step);
    }
    slow.client.resume();
    await until("the slow one's book", () => JSON.stringify(slow.book()) === JSON.stringify(swift.book()));
    assert.ok(slow.troubles.some((word) => word.startsWith("gap book")), slow.troubles.join());
    assert.ok(slow.snapshots > 1);
    assert.deepEqual(swift.book(), hubBook(hub, "BTCUSDT"));
  }, { max_queue_bytes: 262_144 }));
