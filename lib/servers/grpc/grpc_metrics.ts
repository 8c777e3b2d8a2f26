/** What the gRPC server counts. No label per client: their number is not ours to bound. */
import type { Metrics } from "../../base/metrics.ts";

export function grpcMetrics(metrics: Metrics) {
  return {
    connections: metrics.gauge("mdg_grpc_connections", "HTTP/2 connections of the gRPC server").with(),
    calls: metrics.gauge("mdg_grpc_calls", "Calls under way, streams among them").with(),
    queued_bytes: metrics.gauge("mdg_grpc_queued_bytes", "Bytes waiting for gRPC clients").with(),
    started: metrics.counter("mdg_grpc_calls_started_total", "Calls begun", ["method"]),
    ended: metrics.counter("mdg_grpc_calls_ended_total", "Calls that ended", ["method", "code"]),
    sent_messages: metrics.counter("mdg_grpc_sent_messages_total", "Messages handed to HTTP/2").with(),
    sent_bytes: metrics.counter("mdg_grpc_sent_bytes_total", "Bytes handed to HTTP/2").with(),
    /** By design: within `update_speed`, or because the client was slow, a newer state took its place. */
    conflated: metrics.counter(
      "mdg_grpc_conflated_total",
      "Updates that a newer one replaced before they were sent",
      ["kind"],
    ),
    slow: metrics.counter("mdg_grpc_slow_calls_total", "Streams ended because their client did not read")
      .with(),
    refused: metrics.counter("mdg_grpc_refused_total", "Connections and calls refused for who makes them", [
      "reason",
    ]),
  };
}

export type GrpcMetrics = ReturnType<typeof grpcMetrics>;
