/** `mdg monitor gateway`: a running `mdg run`, seen like top from its health port. */
import { FEED_MEASURES, STALE_AFTER } from "./gateway/feed_measures.ts";
import { defineMonitor } from "./monitor.ts";

export const gateway = defineMonitor({
  summary: "Watch a running mdg: feeds, books, sinks, clients, memory, latency",
  description:
    "Asks the health port of a running gateway: /ready, /metrics and, with a token, the sessions. Figures are of the " +
    "time between two looks unless they say otherwise. A feed that is connected and says nothing is stale; while its " +
    "market is closed it is not. The token comes from --token-file or MDG_HEALTH_TOKEN, never from the command line.",
  arguments: [{ name: "ADDRESS", doc: "the health port, HOST:PORT or a URL; absent: 127.0.0.1:9090" }],
  flags: {
    "token-file": {
      type: "text",
      value: "FILE",
      doc: "holds the token of the health port; or the variable MDG_HEALTH_TOKEN",
    },
    "stale-after": STALE_AFTER,
  },
  examples: [
    { command: "mdg monitor gateway", doc: "the gateway of this machine, live" },
    { command: "mdg monitor gateway 10.0.0.5:9090 --json", doc: "a remote one, a JSON line every 2 s" },
    {
      command: "mdg monitor gateway --check -w feed_lag_p99_ms=200 -c latency_p99_us=1000",
      doc: "a monitoring check",
    },
  ],
  measures: {
    not_ready: { unit: "", doc: "reasons why /ready says no", critical: "0", min: 0 },
    ...FEED_MEASURES,
    books_out_of_sync: { unit: "", doc: "books that are not published", warning: "0", min: 0 },
    messages_per_s: { unit: "", doc: "messages of the venues that were used", min: 0 },
    malformed: {
      unit: "",
      doc: "messages since the last look that were not understood",
      warning: "0",
      min: 0,
    },
    latency_p50_us: { unit: "us", doc: "from frame received to update handed out, median", min: 0 },
    latency_p99_us: { unit: "us", doc: "99 of 100 updates took no longer", min: 0 },
    event_loop_lag_p99_ms: { unit: "ms", doc: "how late timers run, last minute", warning: "250", min: 0 },
    sink_dropped: { unit: "", doc: "messages lost by sinks since the last look", warning: "0", min: 0 },
    sink_errors: { unit: "", doc: "writes refused since the last look", warning: "0", min: 0 },
    sink_queued: { unit: "", doc: "messages that wait for the slowest sink", min: 0 },
    clients: { unit: "", doc: "clients of the WebSocket servers", min: 0 },
    client_queued_bytes: { unit: "B", doc: "what waits for clients", min: 0 },
    client_skipped: {
      unit: "",
      doc: "frames not sent since the last look because a client was too slow",
      min: 0,
    },
    client_lag_p99_ms: { unit: "ms", doc: "age of what clients read, by pings behind the data", min: 0 },
    clients_evicted: {
      unit: "",
      doc: "clients that the memory guard cut since the last look",
      warning: "0",
      min: 0,
    },
    memory_pct: { unit: "%", doc: "of the memory guard's budget", warning: "70", critical: "90", min: 0 },
    memory_bytes: { unit: "B", doc: "resident memory of the process", min: 0 },
    restarts: { unit: "", doc: "the process began anew since the last look", critical: "0", min: 0 },
  },
  async open(world, flags, args, options) {
    const { openGatewaySampler } = await import("./gateway/open.ts");
    return await openGatewaySampler(world, flags, args, options);
  },
});
