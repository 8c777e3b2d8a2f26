/**
 * `mdg record`: what the live sources of a config receive and send, into a folder that proves its completeness; or a
 * capture of another tool, turned into such a folder.
 */
import { quoted, UserError } from "../lib/base/errors.ts";
import { Metrics } from "../lib/base/metrics.ts";
import { askOnce } from "../lib/cli/read_input.ts";
import { defineCommand, type ExitCode, type World } from "../lib/cli/command.ts";
import { parseDuration, parseSize } from "../lib/cli/quantities.ts";
import type { RecorderOptions } from "../lib/recorder/recorder.ts";

const FULL_POLICIES = ["wait", "delete-oldest", "stop"] as const;

export const record = defineCommand({
  summary: "Record what the venues send, with proof of completeness",
  description:
    "Runs the live sources of a config and writes every frame received and sent and every REST answer, with receive " +
    "time and connection, into compressed segments. Each segment that ends gets a certificate: ranges of ids per " +
    "symbol, gaps by name, a hash chain; `mdg verify DIR` checks it. After a crash at most the last second is missing, " +
    "and the certificate says so. Sinks and servers of the config run only with --serve. With --from a capture of " +
    "`<ns> <frame>` lines becomes such a folder.",
  flags: {
    config: { type: "text", value: "FILE", doc: "config whose live sources are recorded" },
    from: { type: "text", value: "FILE", doc: "instead of a config: a capture to convert" },
    venue: { type: "text", value: "VENUE", doc: "of the capture; recognised from its frames when absent" },
    out: { type: "text", value: "DIR", doc: "folder of the recording; goes on where one is", required: true },
    serve: { type: "boolean", doc: "run the sinks and servers of the config, too" },
    "segment-size": { type: "text", value: "SIZE", default: "256M", doc: "a segment ends at this size" },
    "segment-time": { type: "text", value: "TIME", default: "1h", doc: "a segment ends at this age" },
    "keep-segments": { type: "number", value: "N", integer: true, min: 1, doc: "segments kept; default all" },
    "keep-size": { type: "text", value: "SIZE", doc: "bytes kept, oldest segments go first; default all" },
    "keep-time": { type: "text", value: "TIME", doc: "how long an ended segment is kept; default for ever" },
    "on-full": {
      type: "text",
      value: "POLICY",
      choices: FULL_POLICIES,
      default: "wait",
      doc: "full disk: wait (then drop and name it), delete-oldest, or stop",
    },
    "max-queue": { type: "text", value: "SIZE", default: "64M", doc: "memory for what waits for the disk" },
    duration: { type: "text", value: "TIME", doc: "stop after so long; default: when told" },
  },
  examples: [
    { command: "mdg record --config gateway.yaml --out recordings", doc: "until Ctrl-C" },
    {
      command: "mdg record --config gateway.yaml --out recordings --keep-size 50G --on-full delete-oldest",
      doc: "round the clock on a disk of its own",
    },
    { command: "mdg record --from btcusdt.gz --out recordings", doc: "take over a capture of another tool" },
  ],
  permissions: ["ffi"],
  async run(world, flags) {
    if ((flags.config === undefined) === (flags.from === undefined)) {
      throw new UserError("record: neither or both of --config and --from given, want one", { code: 2 });
    }
    const options: Omit<RecorderOptions, "metrics"> = {
      directory: flags.out,
      segment_bytes: parseSize("--segment-size", flags["segment-size"]),
      segment_ms: parseDuration("--segment-time", flags["segment-time"]),
      keep: {
        segments: flags["keep-segments"],
        bytes: flags["keep-size"] === undefined ? undefined : parseSize("--keep-size", flags["keep-size"]),
        age_ms: flags["keep-time"] === undefined
          ? undefined
          : parseDuration("--keep-time", flags["keep-time"]),
      },
      on_full: FULL_POLICIES.find((one) => one === flags["on-full"])!,
      max_queue_bytes: Math.max(parseSize("--max-queue", flags["max-queue"]), 4 * 1024 * 1024),
      clock: world.clock,
      log: world.log,
      version: world.version,
    };
    if (flags.from !== undefined) return await convert(world, flags.from, flags.venue, options);
    const duration_ms = flags.duration === undefined
      ? undefined
      : parseDuration("--duration", flags.duration);
    return await recordLive(world, flags.config!, flags.serve, duration_ms, options);
  },
});

async function recordLive(
  world: World,
  path: string,
  serve: boolean,
  duration_ms: number | undefined,
  options: Omit<RecorderOptions, "metrics">,
): Promise<ExitCode> {
  const [{ Gateway }, { permissionsFor }, { loadGatewayConfig }, { Recorder }, { serveGateway }] =
    await Promise
      .all([
        import("../lib/gateway/gateway.ts"),
        import("../lib/gateway/catalog.ts"),
        import("../lib/gateway/config_schema.ts"),
        import("../lib/recorder/recorder.ts"),
        import("./gateway/serve.ts"),
      ]);
  const { config, warnings } = await loadGatewayConfig(path, {
    cwd: world.cwd,
    env: world.env,
    ask: askOnce(world),
  });
  for (const warning of warnings) world.log.warn(warning);
  const sources = config.sources.filter(({ kind }) => kind === "live");
  if (sources.length === 0) {
    throw new UserError(`record the sources of ${quoted(path, 200)}: none is live, want at least one`, {
      code: 2,
    });
  }
  const recorded = serve ? config : { ...config, sources, sinks: [], servers: [] };
  world.restrict(permissionsFor(recorded.sinks));
  const metrics = new Metrics();
  await using recorder = await Recorder.open({ ...options, metrics });
  const gateway = await Gateway.start(recorded, {
    clock: world.clock,
    log: world.log,
    metrics,
    version: world.version,
    seed: crypto.randomUUID(),
    tap: recorder,
  });
  recorder.books = function* (venue) {
    for (const book of gateway.hub.books()) if (book.venue === venue) yield book;
  };
  gateway.hub.addReadiness({ name: "recorder", notReady: () => recorder.notReady() });
  for (const server of gateway.servers) world.log.info("listening", { server: server.name, url: server.url });
  world.log.info("recording", { directory: options.directory, sources: sources.length });
  const over = duration_ms === undefined ? undefined : new Promise<void>((resolve) => {
    world.clock.after(duration_ms, resolve);
  });
  return await serveGateway(
    world,
    gateway,
    undefined,
    Promise.race([recorder.failed, ...over ? [over] : []]),
  );
}

async function convert(
  world: World,
  from: string,
  venue: string | undefined,
  options: Omit<RecorderOptions, "metrics">,
): Promise<ExitCode> {
  const [{ FEEDS, pick }, { recogniseVenue }, { convertCapture }] = await Promise.all([
    import("../lib/gateway/catalog.ts"),
    import("../lib/sources/capture/recognise_venue.ts"),
    import("../lib/recorder/convert_capture.ts"),
  ]);
  const name = venue ?? await recogniseVenue(from, Object.values(FEEDS));
  if (name === undefined) {
    throw new UserError(
      `recognise the venue of ${quoted(from, 200)}: no known depth frame among its first lines`,
      {
        hint: `say --venue, one of ${Object.keys(FEEDS).join(", ")}`,
      },
    );
  }
  const report = await convertCapture(from, pick("venue", FEEDS, name), options, world.signal);
  await world.stdout(JSON.stringify({ from, out: options.directory, venue: name, ...report }) + "\n");
  return report.torn === undefined && report.bad_lines === 0 ? 0 : 1;
}
