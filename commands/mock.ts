/**
 * `mdg mock VENUE`: a venue on this machine, from a recording or a generated market, with faults on request. Prints one
 * JSON line with its addresses when ready; the last line on stderr is JSON too: what was served and injected.
 */
import { parseSpeed } from "../lib/cli/quantities.ts";
import { defineCommand } from "../lib/cli/command.ts";

export const mock = defineCommand({
  summary: "Serve a mock venue from a capture or a generated market",
  description:
    "Speaks the venue's own WebSocket and REST protocol on one port. A capture starts to play when the first client " +
    "subscribes to a book; without one, a simulated market runs. Faults are drawn from the seed and the position in " +
    "the capture, so a run can be repeated; they stop at --fault-until so that a right client can end right. " +
    "GET /mock/stats tells what was served and injected. Faults, each with an optional rate per frame or request: " +
    "drop, duplicate, reorder, delay, disconnect, corrupt, stall, late-snapshot, 429, lying-ack, all. A venue whose " +
    "snapshots come inside the stream knows no late-snapshot and no 429.",
  arguments: [{ name: "VENUE", doc: "its name as in configs, such as binance-futures", required: true }],
  flags: {
    listen: {
      type: "text",
      value: "HOST:PORT",
      default: "127.0.0.1:0",
      doc: "where to listen; port 0 picks one",
    },
    capture: { type: "text", value: "FILE", doc: "lines of `<local ns> <raw frame>`, plain or gzip" },
    symbols: {
      type: "list",
      value: "SYMBOL",
      doc: "only these; default all of the capture, or two well-known ones",
    },
    speed: {
      type: "text",
      value: "max|N",
      default: "1",
      doc: "market seconds a second, max: as fast as clients read",
    },
    fault: { type: "list", value: "NAME[=RATE]", doc: "inject a fault, or all" },
    seed: { type: "text", value: "TEXT", default: "1", doc: "seed of faults and generated market" },
    "fault-until": {
      type: "number",
      value: "SHARE",
      default: 0.9,
      min: 0,
      max: 1,
      doc: "share of the capture after which no fault is injected",
    },
    "start-delay": {
      type: "number",
      value: "MS",
      default: 500,
      min: 0,
      max: 60_000,
      doc: "wait for a subscription on every route before a capture starts",
    },
    interval: {
      type: "number",
      value: "MS",
      default: 100,
      min: 1,
      max: 60_000,
      doc: "generated market: time between diffs of a symbol",
    },
    rate: {
      type: "number",
      value: "N",
      default: 20,
      min: 0.01,
      max: 100_000,
      doc: "generated market: order actions a second and symbol",
    },
    duration: {
      type: "number",
      value: "MS",
      min: 100,
      max: 604_800_000,
      doc: "generated market: over after this much of its time, and waits for a subscriber; default endless",
    },
  },
  examples: [
    { command: "mdg mock binance-futures --listen 127.0.0.1:9443", doc: "a simulated futures market" },
    { command: "mdg mock binance-spot --capture btcusdt.gz --speed max", doc: "a recording at full speed" },
    {
      command: "mdg mock binance-futures --capture btcusdt.gz --fault drop=0.001,disconnect --seed 7",
      doc: "a recording over a bad line, repeatable",
    },
  ],
  async run(world, flags, [name]) {
    const [{ MOCKS, pick }, { parseFaults }] = await Promise.all([
      import("../lib/gateway/catalog.ts"),
      import("../lib/mocks/fault_spec.ts"),
    ]);
    const kind = pick("mock venue", MOCKS, name);
    const venue = await kind.open({
      listen: flags.listen,
      capture: flags.capture,
      symbols: flags.symbols ?? [],
      speed: parseSpeed(flags.speed),
      faults: parseFaults(flags.fault ?? [], kind.faults),
      seed: flags.seed,
      fault_until: flags["fault-until"],
      start_delay_ms: flags["start-delay"],
      interval_ms: flags.interval,
      rate_per_s: flags.rate,
      duration_ms: flags.duration,
    }, world);
    const { ws_url, rest_url, symbols } = venue;
    const ready = { venue: kind.name, ws_url, rest_url, stats_url: `${rest_url}/mock/stats`, symbols };
    await world.stdout(JSON.stringify(ready) + "\n");
    if (!world.signal.aborted) {
      await new Promise((resolve) => world.signal.addEventListener("abort", resolve, { once: true }));
    }
    await venue[Symbol.asyncDispose]();
    world.stderr(JSON.stringify(venue.stats()) + "\n");
    return 0;
  },
});
