/** What a server of this protocol counts. No label per client: their number is not ours to bound. */
import type { Metrics } from "../../base/metrics.ts";

const LAG_BOUNDS_S = [
  1e-4,
  2.5e-4,
  5e-4,
  1e-3,
  2.5e-3,
  5e-3,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
];

export function serverMetrics(metrics: Metrics) {
  return {
    clients: metrics.gauge("mdg_websocket_clients", "Clients connected to the WebSocket server").with(),
    subscriptions: metrics.gauge("mdg_websocket_subscriptions", "Subscriptions of all clients").with(),
    queued_bytes: metrics.gauge(
      "mdg_websocket_queued_bytes",
      "Bytes waiting for clients, shared frames counted for each",
    )
      .with(),
    sent_frames: metrics.counter("mdg_websocket_sent_frames_total", "Frames handed to client sockets").with(),
    sent_bytes: metrics.counter("mdg_websocket_sent_bytes_total", "Bytes handed to client sockets").with(),
    /** Announced to the client by a `lag` message. */
    skipped_frames: metrics.counter(
      "mdg_websocket_skipped_frames_total",
      "Frames not sent because the client was too slow",
      ["channel"],
    ),
    throttled: metrics.counter(
      "mdg_websocket_throttled_total",
      "Times a client had to wait for its tenant's bytes per second",
    ).with(),
    laps: metrics.counter(
      "mdg_websocket_worker_laps_total",
      "Times a worker fell behind by the whole ring and began anew",
    ).with(),
    shed: metrics.counter(
      "mdg_websocket_shed_total",
      "Subscriptions ended because their client was too slow for too long",
      ["channel"],
    ),
    lag_s: metrics.histogram(
      "mdg_websocket_lag_seconds",
      "Age of what clients read, by the time to the answer of a ping sent behind the data",
      [],
      LAG_BOUNDS_S,
    ).with(),
    history_bytes: metrics.gauge(
      "mdg_websocket_history_bytes",
      "Bytes kept for clients that come back",
    ).with(),
    closes: metrics.counter("mdg_websocket_closes_total", "Connections that ended", ["reason"]),
    refused: metrics.counter("mdg_websocket_refused_total", "Handshakes refused", ["reason"]),
    request_errors: metrics.counter(
      "mdg_websocket_request_errors_total",
      "Client messages answered with an error",
      [
        "code",
      ],
    ),
  };
}

export type ServerMetrics = ReturnType<typeof serverMetrics>;
