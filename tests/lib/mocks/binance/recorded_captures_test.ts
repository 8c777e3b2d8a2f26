/** Real recordings, where they are at hand: the mock's book ends as `mdg verify`'s does, in text and in full. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { plainDecimal } from "../../../../lib/base/decimal.ts";
import { binanceFutures } from "../../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";
import { verifyCapture } from "../../../../lib/sources/capture/verify_capture.ts";
import { captureLines } from "../../../../lib/mocks/binance/capture_lines.ts";
import { parseCaptureLine } from "../../../../lib/mocks/binance/capture_tape.ts";
import { TextBook } from "../../../../lib/mocks/binance/text_book.ts";

const folder = decodeURIComponent(new URL("../../../../../shared/data/captures/", import.meta.url).pathname);

for (const feed of [binanceFutures, binanceSpot]) {
  const path = `${folder}${feed.name}_btcusdt_20240808.gz`;
  const absent = !exists(path);
  Deno.test({
    name: `${feed.name}: the mock's final book equals mdg verify's${
      absent ? " (SKIPPED: no ../shared/data/captures)" : ""
    }`,
    ignore: absent,
    async fn() {
      const book = new TextBook("BTCUSDT", feed === binanceFutures);
      for await (const lines of captureLines(path, (why) => assert.fail(why))) {
        for (const line of lines) {
          const item = parseCaptureLine(line);
          if (item?.kind === "snapshot") book.applySnapshot(item.data);
          if (item?.kind === "depth") book.applyDiff(item.data);
        }
      }
      const { books: [verified] } = await verifyCapture(path, feed);
      assert.deepEqual([book.gaps, book.last_update_id], [0, verified.update_id]);
      assert.equal(bookHash(book), verified.sha256);
    },
  });
}

/** Levels as `price,quantity\n`, bids best first, then asks, shortest decimal form. */
function bookHash(book: TextBook): string {
  const { bids, asks } = JSON.parse(book.depthAnswer(Infinity));
  const hash = createHash("sha256");
  for (const [price, quantity] of [...bids, ...asks]) {
    hash.update(`${plainDecimal(price)},${plainDecimal(quantity)}\n`);
  }
  return hash.digest("hex");
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
