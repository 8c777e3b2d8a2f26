/** Kraken's checksum: the published vectors, every update of a made market, and one bent level caught at once. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { krakenChecksum } from "../../../../lib/feeds/kraken/checksum.ts";
import { kraken } from "../../../../lib/feeds/kraken/kraken.ts";
import { OrderBook } from "../../../../lib/market/order_book.ts";
import { fixtureFrames, runsOf } from "../../../contracts/feed_fixture.ts";
import { listOf } from "../../market/level_lists.ts";
import { fixtureBooks } from "../fixture_books.ts";
import { VenueBook } from "./venue_book.ts";

const decoder = new TextDecoder();

Deno.test("the small vector: leading zeros go, trailing zeros stay", () => {
  const book = new OrderBook();
  book.apply(listOf([[0.5009, 0.07]]), listOf([[0.5012, 12.5]]));
  assert.equal(krakenChecksum(book, { price_decimals: 4, quantity_decimals: 8 }), 2_667_336_280);
  assert.ok(Number.isNaN(krakenChecksum(book, undefined)));
});

Deno.test("quantities beyond 15 digits count by their text", () => {
  const book = new OrderBook();
  book.apply(listOf([]), listOf([[7.65e-6, 1234567890123.45678, "1234567890123.45678"], [8, 98765432109]]));
  // zlib.crc32 of "765" "123456789012345678" + "800000000" "9876543210900000", spelled apart from mdg.
  assert.equal(krakenChecksum(book, { price_decimals: 8, quantity_decimals: 5 }), 1_305_006_501);
});

Deno.test("the fixture's chain stays in sync: the guide's vector 3310070434 and the updates after it", () => {
  const { books, send, wanted } = fixtureBooks(kraken);
  const run = runsOf(fixtureFrames("kraken"))[0];
  for (const { bytes } of run) {
    send(bytes);
    const text = decoder.decode(bytes);
    if (text.includes('"book"') && text.includes("BTC/USD") && text.includes("data")) {
      assert.ok(books.instruments.get("BTC/USD")?.in_sync, text);
    }
  }
  assert.deepEqual(wanted, []);
});

for (const depth of [10, 25]) {
  Deno.test(`depth ${depth}: all checksums of 3,000 updates recomputed, the book as the venue shows it`, () => {
    const venue = new VenueBook("BTC/USD", depth, new Random(`kraken ${depth}`));
    const { books, send, statuses } = fixtureBooks(kraken);
    send(venue.instrument());
    send(venue.acknowledgement());
    send(venue.snapshot());
    const { replica } = books.instruments.get("BTC/USD")!;
    for (let i = 0; i < 3_000; i++) {
      send(venue.update());
      assert.ok(replica.live, `update ${i}`);
      for (const side of ["bids", "asks"] as const) {
        const view = replica.book[side];
        assert.equal(view.size, venue.shown[side].length);
        venue.shown[side].forEach(([price, quantity], at) => {
          assert.deepEqual([view.price(at), view.quantity(at)], [Number(price), Number(quantity)]);
        });
      }
    }
    assert.deepEqual(statuses.map((one) => one.reason), ["snapshot"]);
  });
}

Deno.test("a bent level is caught at the very update, is never published, and a new snapshot heals", () => {
  let caught = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = new Random(`bent ${seed}`);
    const venue = new VenueBook("BTC/USD", 10, random);
    const { books, send, statuses, wanted } = fixtureBooks(kraken);
    for (const frame of [venue.instrument(), venue.acknowledgement(), venue.snapshot()]) send(frame);
    for (let i = 0; i < 5; i++) send(venue.update());
    const frame = venue.update();
    // One digit of one quantity in this update is another one.
    const digits = [...frame.matchAll(/"qty":\d\.(\d)/g)];
    if (digits.length === 0) continue;
    const { index, 0: { length }, 1: digit } = random.pick(digits);
    const at = index + length - 1;
    send(frame.slice(0, at) + (digit === "9" ? "1" : String(Number(digit) + 1)) + frame.slice(at + 1));
    assert.equal(books.instruments.get("BTC/USD")!.in_sync, false, frame);
    assert.deepEqual(statuses.at(-1), { symbol: "BTC/USD", in_sync: false, reason: "checksum" });
    assert.deepEqual(wanted, ["BTC/USD: checksum"]);
    send(venue.update());
    assert.equal(books.instruments.get("BTC/USD")!.in_sync, false);
    send(venue.snapshot());
    assert.ok(books.instruments.get("BTC/USD")!.in_sync);
    caught++;
  }
  assert.ok(caught > 100, `${caught}`);
});

Deno.test("a lost update shows at the next one", () => {
  const venue = new VenueBook("BTC/USD", 10, new Random("lost"));
  const { books, send } = fixtureBooks(kraken);
  for (const frame of [venue.instrument(), venue.acknowledgement(), venue.snapshot()]) send(frame);
  let lost = venue.update();
  while (!lost.includes('"qty"')) lost = venue.update();
  send(venue.update());
  assert.equal(books.instruments.get("BTC/USD")!.in_sync, false);
});
