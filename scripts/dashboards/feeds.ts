/** Venues, connections and books: is what we take in whole, in time, and right. */
import { type Dashboard, perSecond, quantiles } from "./dashboard.ts";

export const feeds: Dashboard = {
  uid: "mdg-feeds",
  title: "mdg / feeds and books",
  rows: [
    {
      title: "Feeds",
      panels: [
        {
          title: "Connections",
          unit: "short",
          min: 0,
          help: "Open ones, and those that the symbols need. The two lines are one on a good day.",
          queries: [
            ["feed_connections_open{$I}", "{{source}} {{venue}} open"],
            ["feed_connections_wanted{$I}", "{{source}} {{venue}} wanted"],
          ],
        },
        {
          title: "Silence",
          unit: "s",
          min: 0,
          help: "Time since the last event of each symbol whose market is open. MdgFeedSilent fires at 60 s.",
          queries: [[
            "(time() - feed_last_event_timestamp_seconds{$I}) and on (instance, venue, symbol) feed_data_expected{$I} == 1",
            "{{venue}} {{symbol}}",
          ]],
        },
        {
          title: "Lag of the venue",
          unit: "s",
          help: "Exchange time to receipt. A jump of all symbols at once is the network or a clock.",
          queries: quantiles("feed_exchange_lag_seconds", "venue", "{{venue}}"),
        },
        {
          title: "Frames",
          unit: "cps",
          help: "Frames received, by what became of them.",
          queries: [[perSecond("feed_frames_total", "venue, outcome"), "{{venue}} {{outcome}}"]],
        },
        {
          title: "Messages",
          unit: "cps",
          help: "Messages that were used, by symbol.",
          queries: [[perSecond("messages_processed_total", "symbol"), "{{symbol}}"]],
        },
        {
          title: "Connections lost and messages malformed",
          unit: "short",
          help: "In ten minutes. Malformed messages mean that the venue changed its format.",
          queries: [
            ["sum by (venue) (increase(feed_connections_lost_total{$I}[10m]))", "lost {{venue}}"],
            ["sum by (symbol) (increase(websocket_disconnects_total{$I}[10m]))", "disconnects {{symbol}}"],
            ["sum by (symbol) (increase(messages_error_total{$I}[10m]))", "malformed {{symbol}}"],
          ],
        },
        {
          title: "Redundant connections",
          unit: "cps",
          help:
            "What each leg brought first, again, or missed: what missed here would be a loss with one connection.",
          queries: [[
            perSecond("feed_leg_updates_total", "source, leg, result"),
            "{{source}} leg {{leg}} {{result}}",
          ]],
        },
        {
          title: "Snapshots by REST",
          unit: "short",
          help: "In ten minutes, by result. 429 and 418 are the venue's limits.",
          queries: [[
            "sum by (venue, result) (increase(snapshot_requests_total{$I}[10m]))",
            "{{venue}} {{result}}",
          ]],
        },
      ],
    },
    {
      title: "Books",
      panels: [
        {
          title: "In sync",
          kind: "states",
          unit: "short",
          width: 12,
          help: "Green while the book is proved right and published.",
          queries: [["book_in_sync{$I}", "{{venue}} {{symbol}}"]],
          bad: 1,
          is_falling: true,
        },
        {
          title: "Time out of sync",
          unit: "s",
          width: 12,
          help: "Seconds in ten minutes, ended episodes.",
          queries: [[
            "sum by (venue, symbol) (increase(book_out_of_sync_seconds_total{$I}[10m]))",
            "{{venue}} {{symbol}}",
          ]],
        },
        {
          title: "Updates",
          unit: "cps",
          help: "Updates applied to books.",
          queries: [[perSecond("orderbook_updates_total", "symbol"), "{{symbol}}"]],
        },
        {
          title: "Gaps, and how they were closed",
          unit: "short",
          help: "In ten minutes: gaps in the venue's ids; repairs by a late delta; resyncs by a snapshot.",
          queries: [
            ["sum by (symbol) (increase(sequence_errors_total{$I}[10m]))", "gaps {{symbol}}"],
            ["sum by (symbol) (increase(book_repairs_total{$I}[10m]))", "repairs {{symbol}}"],
            ["sum by (symbol) (increase(book_resyncs_total{$I}[10m]))", "resyncs {{symbol}}"],
          ],
        },
        {
          title: "Audit against the venue's own quotes",
          unit: "cps",
          help: "Tops compared, and those that differed: any is a wrong book.",
          queries: [
            [perSecond("book_audit_compared_total", "venue"), "compared {{venue}}"],
            [perSecond("book_audit_differed_total", "venue, symbol"), "differed {{venue}} {{symbol}}"],
          ],
        },
        {
          title: "Odd books",
          unit: "short",
          help: "In ten minutes: crossed books, levels that a background snapshot found different.",
          queries: [
            ["sum by (symbol) (increase(book_crossed_total{$I}[10m]))", "crossed {{symbol}}"],
            ["sum by (symbol) (increase(book_refresh_differences_total{$I}[10m]))", "differences {{symbol}}"],
            ["sum by (symbol) (increase(book_refreshes_total{$I}[10m]))", "refreshes {{symbol}}"],
          ],
        },
        {
          title: "Trades",
          unit: "cps",
          help: "Taken in, by symbol.",
          queries: [[perSecond("trades_processed_total", "symbol"), "{{symbol}}"]],
        },
        {
          title: "Trades missed, late, repeated",
          unit: "short",
          help: "In ten minutes. Missed: ids that the venue's numbering skipped.",
          queries: [
            ["sum by (symbol) (increase(trades_missed_total{$I}[10m]))", "missed {{symbol}}"],
            ["sum by (symbol) (increase(trades_late_total{$I}[10m]))", "late {{symbol}}"],
            ["sum by (symbol) (increase(trades_repeated_total{$I}[10m]))", "repeated {{symbol}}"],
          ],
        },
      ],
    },
  ],
};
