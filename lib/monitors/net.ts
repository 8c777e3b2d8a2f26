/** `mdg monitor net`: this machine's sockets as the kernel knows them, handshakes with given hosts, a gateway's feeds. */
import { FEED_MEASURES, STALE_AFTER } from "./gateway/feed_measures.ts";
import { defineMonitor } from "./monitor.ts";

export const net = defineMonitor({
  summary: "Watch the network: traffic by process, round trips, handshakes with hosts, a gateway's feeds",
  description:
    "Needs no root: interfaces, sockets, round trips, retransmits and queues are the kernel's own (Linux; elsewhere " +
    "only hosts and the gateway are measured). Sockets of other users' processes are told under the user. Bytes of a " +
    "connection that begins and ends between two looks are not seen.\n\n" +
    "Hosts are asked by a new handshake at a steady pace, however slow the answers are: a pause counts with all of its " +
    "wait. tcp:// (or HOST:PORT) is answered by the other kernel, even for a program that stands still; tls://, " +
    "ws:// and wss:// by the program. A lost handshake counts as --handshake-timeout in the percentiles. Venues count " +
    "connections: keep --every above what they allow.",
  flags: {
    host: {
      type: "list",
      value: "ADDRESS",
      doc: "measure handshakes with HOST:PORT, tls://HOST, ws://HOST/PATH or wss://HOST/PATH",
    },
    every: {
      type: "number",
      value: "SECONDS",
      min: 0.02,
      max: 3_600,
      doc: "between two handshakes with a host; absent: 1, with WebSockets 5",
    },
    "handshake-timeout": {
      type: "number",
      value: "SECONDS",
      min: 0.05,
      max: 120,
      default: 3,
      doc: "an unanswered handshake is lost",
    },
    "tls-ca": { type: "text", value: "FILE", doc: "authorities to trust beside the built-in ones, PEM" },
    gateway: { type: "text", value: "HOST:PORT", doc: "health port of a running mdg whose feeds are shown" },
    "stale-after": STALE_AFTER,
    interface: { type: "list", value: "NAME", doc: "count these; absent: all but loopback" },
    process: { type: "list", value: "NAME", doc: "only processes whose name contains this" },
  },
  examples: [
    { command: "mdg monitor net", doc: "who moves what, live" },
    {
      command: "mdg monitor net --host wss://fstream.binance.com/ws --gateway 127.0.0.1:9090",
      doc: "a venue from here, and what the gateway has of it",
    },
    { command: "mdg monitor net --host 10.0.0.5:6379 --every 0.1 --csv", doc: "a row per host and look" },
    {
      command: "mdg monitor net --check --host tls://10.0.0.5:8443 --interval 10 -c latency_p99_us=50000",
      doc: "a monitoring check over ten seconds",
    },
  ],
  permissions: ["ffi"],
  measures: {
    received_bytes_per_s: { unit: "B", doc: "what the interfaces took in, a second", min: 0 },
    sent_bytes_per_s: { unit: "B", doc: "what they sent", min: 0 },
    interface_faults: { unit: "", doc: "errors and drops of the interfaces since the last look", min: 0 },
    connections: { unit: "", doc: "established TCP connections", min: 0 },
    retransmit_pct: { unit: "%", doc: "segments that were sent again, of those sent", min: 0 },
    listen_overflows: {
      unit: "",
      doc: "connections refused since the last look because a program did not accept",
      warning: "0",
      min: 0,
    },
    rtt_p50_us: { unit: "us", doc: "the kernel's smoothed round trip, median over connections", min: 0 },
    rtt_p99_us: { unit: "us", doc: "99 of 100 connections have no longer one", min: 0 },
    receive_queue_bytes: { unit: "B", doc: "the most that waits for one program to read", min: 0 },
    send_queue_bytes: { unit: "B", doc: "the most that one peer has not acknowledged", min: 0 },
    latency_p50_us: { unit: "us", doc: "handshake with the slowest host, last minute, median", min: 0 },
    latency_p99_us: { unit: "us", doc: "99 of 100 handshakes were no slower, lost ones included", min: 0 },
    latency_max_us: { unit: "us", doc: "slowest handshake, those still waited for included", min: 0 },
    loss_pct: {
      unit: "%",
      doc: "handshakes of the last minute that were refused or not answered, worst host",
      warning: "1",
      critical: "50",
      min: 0,
      max: 100,
    },
    ...FEED_MEASURES,
  },
  async open(world, flags, _args, options) {
    const { openNetSampler } = await import("./net/open.ts");
    return await openNetSampler(world, flags, options);
  },
});
