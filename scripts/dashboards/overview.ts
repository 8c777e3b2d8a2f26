/** The first screen: is everything well, and if not, which dashboard tells more. */
import { type Dashboard, lastHour, perSecond, quantiles } from "./dashboard.ts";

export const overview: Dashboard = {
  uid: "mdg-overview",
  title: "mdg / overview",
  rows: [
    {
      title: "Now",
      panels: [
        {
          title: "Gateways ready",
          kind: "number",
          unit: "short",
          help: "Gateways whose /ready says yes. MdgDown names one that does not answer at all.",
          queries: [["sum(mdg_ready{$I})", ""]],
          bad: 1,
          is_falling: true,
        },
        {
          title: "Connections missing",
          kind: "number",
          unit: "short",
          help: "Connections to venues that the symbols need and that are not open. See feeds.",
          queries: [["sum(feed_connections_wanted{$I}) - sum(feed_connections_open{$I})", ""]],
          bad: 1,
        },
        {
          title: "Books not published",
          kind: "number",
          unit: "short",
          help:
            "Books out of sync. Each comes back by itself as soon as it is proved right again. See feeds.",
          queries: [["count(book_in_sync{$I} == 0) or vector(0)", ""]],
          bad: 1,
        },
        {
          title: "Lost by sinks, 1 h",
          kind: "number",
          unit: "short",
          help: "Messages that a sink dropped at a bound or was refused for good. See sinks.",
          queries: [["sum(increase(sink_dropped_total{$I}[1h]))", ""]],
          bad: 1,
        },
        {
          title: "Memory of the budget",
          kind: "number",
          unit: "percentunit",
          help:
            "From 70 % newcomers are refused, from 80 % clients are ended, from 95 % sources pause. See clients.",
          queries: [["max(mdg_memory_used_bytes{$I} / mdg_memory_budget_bytes{$I})", ""]],
          warn: 0.7,
          bad: 0.8,
        },
        {
          title: "Frame to update, p99",
          kind: "number",
          unit: "µs",
          help: "From frame received to update handed out. See latency.",
          queries: quantiles("processing_latency_microseconds", "", "", [0.99]),
          warn: 100,
          bad: 1_000,
        },
      ],
    },
    {
      title: "The flow",
      panels: [
        {
          title: "Messages of venues",
          unit: "cps",
          help: "Messages that were understood and used, by kind.",
          queries: [[perSecond("messages_processed_total", "type"), "{{type}}"]],
        },
        {
          title: "Taken by sinks",
          unit: "cps",
          help: "Messages that the other side of a sink has taken.",
          queries: [[perSecond("sink_published_total", "sink"), "{{sink}}"]],
        },
        {
          title: "Sent to clients",
          unit: "cps",
          help: "Frames handed to sockets of WebSocket clients, and messages of gRPC calls.",
          queries: [
            [perSecond("mdg_websocket_sent_frames_total", "instance"), "WebSocket {{instance}}"],
            [perSecond("mdg_grpc_sent_messages_total", "instance"), "gRPC {{instance}}"],
          ],
        },
        {
          title: "Books in sync",
          kind: "states",
          unit: "short",
          width: 12,
          help: "Green while the book is proved right and published.",
          queries: [["book_in_sync{$I}", "{{venue}} {{symbol}}"]],
          bad: 1,
          is_falling: true,
        },
        {
          title: "Sinks and sources at work",
          kind: "states",
          unit: "short",
          width: 12,
          help: "Green while the part can work. /ready on the health port says why it can't.",
          queries: [["mdg_part_ready{$I}", "{{instance}} {{role}} {{part}}"]],
          bad: 1,
          is_falling: true,
        },
        {
          title: "What went wrong, 1 h",
          kind: "table",
          unit: "short",
          width: 24,
          help: "Gaps, malformed messages, audits that differed, lost connections: all zero on a good day.",
          queries: [
            [lastHour("sequence_errors_total", "instance"), "gaps"],
            [lastHour("messages_error_total", "instance"), "malformed"],
            [lastHour("book_audit_differed_total", "instance"), "audits differed"],
            [lastHour("feed_connections_lost_total", "instance"), "connections lost"],
          ],
        },
      ],
    },
  ],
};
