/** Who is connected and how well it is served, who is not let in, and what memory is left for it. */
import { type Dashboard, perSecond, quantiles } from "./dashboard.ts";

export const clients: Dashboard = {
  uid: "mdg-clients",
  title: "mdg / clients and memory guard",
  rows: [
    {
      title: "WebSocket clients",
      panels: [
        {
          title: "Clients",
          unit: "short",
          min: 0,
          help: "Connected clients and their subscriptions.",
          queries: [
            ["mdg_websocket_clients{$I}", "clients {{instance}}"],
            ["mdg_websocket_subscriptions{$I}", "subscriptions {{instance}}"],
          ],
        },
        {
          title: "Sent",
          unit: "Bps",
          help: "Bytes handed to sockets.",
          queries: [[perSecond("mdg_websocket_sent_bytes_total", "instance"), "{{instance}}"]],
        },
        {
          title: "Age of what clients read",
          unit: "s",
          help: "Measured by a ping behind the data. MdgClientsLate fires at 2.5 s.",
          queries: quantiles("mdg_websocket_lag_seconds", "instance", "{{instance}}"),
        },
        {
          title: "Waiting for clients",
          unit: "bytes",
          min: 0,
          help: "Shared frames are counted for each client.",
          queries: [["mdg_websocket_queued_bytes{$I}", "{{instance}}"]],
        },
        {
          title: "Not sent to slow clients",
          unit: "cps",
          help: "Frames skipped (the client is told), and subscriptions ended.",
          queries: [
            [perSecond("mdg_websocket_skipped_frames_total", "channel"), "skipped {{channel}}"],
            [perSecond("mdg_websocket_shed_total", "channel"), "ended {{channel}}"],
            [perSecond("mdg_websocket_throttled_total", "instance"), "held back by its quota {{instance}}"],
          ],
        },
        {
          title: "Closed and refused",
          unit: "short",
          help: "In ten minutes, with the reason.",
          queries: [
            ["sum by (reason) (increase(mdg_websocket_closes_total{$I}[10m]))", "closed {{reason}}"],
            ["sum by (reason) (increase(mdg_websocket_refused_total{$I}[10m]))", "refused {{reason}}"],
            ["sum by (reason) (increase(front_door_refused_total{$I}[10m]))", "at the door {{reason}}"],
            [
              "sum by (code) (increase(mdg_websocket_request_errors_total{$I}[10m]))",
              "asked wrongly {{code}}",
            ],
          ],
        },
        {
          title: "Tokens",
          unit: "short",
          help: "Judged in ten minutes. A wave of wrong ones is somebody trying.",
          queries: [["sum by (result) (increase(access_authentications_total{$I}[10m]))", "{{result}}"]],
        },
        {
          title: "Certificate",
          kind: "number",
          unit: "dtdurations",
          width: 8,
          help: "Time until the first certificate expires. MdgCertificateExpires fires at 14 days.",
          queries: [["min(tls_certificate_expires_timestamp_seconds{$I}) - time()", ""]],
          warn: 14 * 86_400,
          bad: 3 * 86_400,
          is_falling: true,
        },
      ],
    },
    {
      title: "gRPC clients",
      panels: [
        {
          title: "Connections and calls",
          unit: "short",
          min: 0,
          help: "Calls under way, streams among them.",
          queries: [
            ["mdg_grpc_connections{$I}", "connections {{instance}}"],
            ["mdg_grpc_calls{$I}", "calls {{instance}}"],
          ],
        },
        {
          title: "Calls ended",
          unit: "cps",
          help: "By method and code.",
          queries: [[perSecond("mdg_grpc_calls_ended_total", "method, code"), "{{method}} {{code}}"]],
        },
        {
          title: "Sent, conflated, too slow",
          unit: "cps",
          help: "Conflated: a newer state took the place of one that was not sent.",
          queries: [
            [perSecond("mdg_grpc_sent_messages_total", "instance"), "sent {{instance}}"],
            [perSecond("mdg_grpc_conflated_total", "kind"), "conflated {{kind}}"],
            [perSecond("mdg_grpc_slow_calls_total", "instance"), "too slow {{instance}}"],
          ],
        },
      ],
    },
    {
      title: "Memory guard",
      panels: [
        {
          title: "Used of the budget",
          unit: "bytes",
          min: 0,
          help: "What counts against the budget, and the budget.",
          queries: [
            ["mdg_memory_used_bytes{$I}", "used {{instance}}"],
            ["mdg_memory_budget_bytes{$I}", "budget {{instance}}"],
          ],
        },
        {
          title: "Level",
          kind: "states",
          unit: "short",
          help:
            "0 fine, 1 newcomers refused and everything conflated, 2 and 3 clients ended, 4 sources paused.",
          queries: [["mdg_memory_level{$I}", "{{instance}}"]],
          warn: 1,
          bad: 2,
        },
        {
          title: "Queued for clients",
          unit: "bytes",
          min: 0,
          help: "Counted for each client, and what they share counted once.",
          queries: [
            ["mdg_memory_client_bytes{$I}", "for each {{instance}}"],
            ["mdg_memory_unique_bytes{$I}", "once {{instance}}"],
          ],
        },
        {
          title: "Clients ended",
          unit: "short",
          help: "In ten minutes, by what decided.",
          queries: [["sum by (reason) (increase(mdg_memory_evictions_total{$I}[10m]))", "{{reason}}"]],
        },
        {
          title: "Sources paused",
          unit: "short",
          help: "In ten minutes.",
          queries: [["sum by (upstream) (increase(mdg_memory_pauses_total{$I}[10m]))", "{{upstream}}"]],
        },
        {
          title: "Time spent on garbage",
          unit: "percentunit",
          help: "Share of time that the main thread stood still to give memory back.",
          queries: [[perSecond("mdg_memory_reclaim_seconds_total", "instance"), "{{instance}}"]],
        },
      ],
    },
  ],
};
