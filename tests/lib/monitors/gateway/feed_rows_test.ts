/** Feeds from pages of metrics: states, rates, and what can't be told apart. */
import assert from "node:assert/strict";
import { MetricsPage } from "../../../../lib/formats/prometheus_text.ts";
import { feedRows, type Reading } from "../../../../lib/monitors/gateway/feed_rows.ts";

const NOW_S = 1_700_000_100;
const OPTIONS = { stale_after_s: 15 };

async function reading(lines: string[], at_ms = 0): Promise<Reading> {
  const page = await MetricsPage.read(["process_start_time_seconds 1700000000", ...lines].join("\n"));
  return { page, at_ms, gateway_ms: NOW_S * 1_000 };
}

interface Feed {
  venue?: string;
  symbols?: string[];
  expected?: 0 | 1;
  silent_s?: number;
  open?: number;
  frames?: number;
  lag?: [number, number, number];
  gaps?: number;
  lost?: number;
}

function lines(
  {
    venue = "kraken",
    symbols = ["A", "B"],
    expected = 1,
    silent_s,
    open,
    frames = 0,
    lag,
    gaps = 0,
    lost = 0,
  }: Feed,
): string[] {
  const connections = `{source="live",venue="${venue}"}`;
  return [
    ...symbols.flatMap((symbol) => {
      const labels = `{venue="${venue}",symbol="${symbol}"}`;
      return [
        `feed_data_expected${labels} ${expected}`,
        `book_in_sync${labels} ${symbol === "B" ? 0 : 1}`,
        `sequence_errors_total{symbol="${symbol}"} ${gaps}`,
        ...(silent_s === undefined ? [] : [`feed_last_event_timestamp_seconds${labels} ${NOW_S - silent_s}`]),
      ];
    }),
    `feed_frames_total{venue="${venue}",outcome="events"} ${frames}`,
    `feed_frames_total{venue="${venue}",outcome="ack"} 2`,
    ...(open === undefined ? [] : [
      `feed_connections_open${connections} ${open}`,
      `feed_connections_wanted${connections} 2`,
      `feed_connections_lost_total${connections} ${lost}`,
    ]),
    ...(lag ?? []).map((count, i) =>
      `feed_exchange_lag_seconds_bucket{venue="${venue}",le="${["0.1", "0.2", "+Inf"][i]}"} ${count}`
    ),
  ];
}

Deno.test("rates, lag, gaps and reconnects are of the time between two readings", async () => {
  const before = await reading(
    lines({ open: 2, frames: 100, lag: [50, 50, 50], gaps: 1, lost: 1, silent_s: 1 }),
  );
  const now = await reading(
    lines({ open: 2, frames: 300, lag: [50, 150, 150], gaps: 4, lost: 2, silent_s: 1 }),
    2_000,
  );
  const [feed] = feedRows(now, before, OPTIONS);
  assert.equal(feed.messages_per_s, 100);
  assert.ok(Math.abs(feed.lag_p50_s! - 0.15) < 1e-9, "of the new ones only");
  assert.deepEqual([feed.gaps, feed.new_gaps, feed.reconnects, feed.new_reconnects], [8, 6, 2, 1]);
  assert.deepEqual([feed.symbols, feed.out_of_sync, feed.connections_open, feed.connections_wanted], [
    2,
    1,
    2,
    2,
  ]);
  assert.equal(feed.state, "live");
  const [first] = feedRows(now, undefined, OPTIONS);
  assert.deepEqual([first.messages_per_s, first.new_gaps], [undefined, undefined]);
});

Deno.test("live, stale, down, closed", async () => {
  const state = async (feed: Feed) => {
    const [{ state, stale_symbols, silent_s }] = feedRows(await reading(lines(feed)), undefined, OPTIONS);
    return [state, stale_symbols, silent_s];
  };
  assert.deepEqual(await state({ open: 2, silent_s: 3 }), ["live", 0, 3]);
  assert.deepEqual(await state({ open: 2, silent_s: 16 }), ["stale", 2, 16]);
  assert.deepEqual(await state({ open: 0, silent_s: 16 }), ["down", 2, 16]);
  assert.deepEqual(await state({ open: 2, silent_s: 5_000, expected: 0 }), ["closed", 0, 5_000]);
  assert.deepEqual(await state({ open: 0, silent_s: 5_000, expected: 0 }), ["closed", 0, 5_000]);
  assert.deepEqual(await state({ open: 2 }), ["stale", 2, undefined], "100 s up, and never a word");
  assert.deepEqual(await state({ silent_s: 3 }), ["live", 0, 3], "a source without connections of its own");
});

Deno.test("one quiet symbol does not make a feed stale", async () => {
  const page = [
    ...lines({ open: 1, symbols: ["A"], silent_s: 1 }),
    ...lines({ symbols: ["Q"], silent_s: 900 }).filter((line) => line.includes('"Q"')),
  ];
  const [feed] = feedRows(await reading(page), undefined, OPTIONS);
  assert.deepEqual([feed.state, feed.stale_symbols, feed.silent_s], ["live", 1, 1]);
});

Deno.test("a symbol that two venues have: what only it names is absent, not wrong", async () => {
  const page = await reading([
    ...lines({ venue: "kraken", symbols: ["A"], gaps: 3, silent_s: 1 }),
    ...lines({ venue: "okx", symbols: ["A"], silent_s: 1 }),
    ...lines({ venue: "deribit", symbols: ["C"], gaps: 2, silent_s: 1 }),
  ]);
  const gaps = feedRows(page, undefined, OPTIONS).map(({ venue, gaps }) => [venue, gaps]);
  assert.deepEqual(gaps, [["kraken", undefined], ["okx", undefined], ["deribit", 2]]);
});

Deno.test("a page that tells of no feed has no rows", async () => {
  assert.deepEqual(feedRows(await reading([]), undefined, OPTIONS), []);
});
