/** What the plain WebSocket server counts. No label per client: their number is not ours to bound. */
import type { Metrics } from "../../base/metrics.ts";

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
