/**
 * The Worker with clients: its own listener on the shared port, its own edge; the market's frames come through the ring,
 * quotas, sessions and memory are the main thread's and asked by message.
 */
/// <reference lib="deno.worker" />
import { nextTurn, systemClock } from "../../../base/clock.ts";
import { reasonOf, UserError } from "../../../base/errors.ts";
import type { Log, LogFields } from "../../../base/log.ts";
import { Metrics } from "../../../base/metrics.ts";
import { servePool } from "../../../flow/memory_guard/pool_port.ts";
import { LocalSessions } from "../../../flow/session_registry/local_sessions.ts";
import { serveSessions } from "../../../flow/session_registry/session_port.ts";
import { collectGarbage } from "../../../os/reclaim_memory.ts";
import { RingReader } from "../../../wire/record_ring.ts";
import { openAccess } from "../../access/open_access.ts";
import { OpenAccess } from "../../access/open_to_all.ts";
import { portLedger } from "../../access/port_ledger.ts";
import { openTls } from "../../tls_reload.ts";
import { EdgeSite } from "../edge/edge_site.ts";
import type { MarketDesk } from "../market_words.ts";
import { reportMetrics } from "./metrics_report.ts";
import { RingSpeaker } from "./ring_words.ts";
import type { FromWorker, ToWorker } from "./worker_words.ts";

type Start = Extract<ToWorker, { edge: "start" }>;

const REPORT_MS = 500;
const clock = systemClock;
const say = (word: FromWorker) => self.postMessage(word);

function portLog(common: LogFields): Log {
  const log =
    (level: Extract<FromWorker, { edge: "log" }>["level"]) => (message: string, fields?: LogFields) =>
      say({ edge: "log", level, message, fields: { ...common, ...fields } });
  return {
    trace: log("trace"),
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    with: (fields) => portLog({ ...common, ...fields }),
  };
}

const desk: MarketDesk = {
  open: (of) => say({ edge: "open", of }),
  close: (of) => say({ edge: "close_stream", of }),
  tellSnapshot: (of) => say({ edge: "tell_snapshot", of }),
  tellStatus: (of) => say({ edge: "tell_status", of }),
  refresh: () => say({ edge: "refresh" }),
};

async function start(word: Start): Promise<() => Promise<void>> {
  const { number, memory, options } = word;
  const log = portLog({ worker: number });
  const metrics = new Metrics();
  const sessions = new LocalSessions({ clock, log, metrics });
  const access = word.access === "open"
    ? new OpenAccess()
    : await openAccess(word.access, { clock, log, metrics, ledger: portLedger(self, clock) });
  const tls = word.tls && await openTls(word.tls, { clock, log, metrics, server: options.name });
  const site = await EdgeSite.bind(options, { clock, log, metrics, access, tls, sessions });
  site.edge.connect(desk);
  const reader = new RingReader(memory);
  const stopping = new AbortController();
  const reading = readRing(reader, number, site, stopping.signal);
  const stops = [serveSessions(sessions, self), servePool(site.pool, self, clock, collectGarbage)];
  const report = clock.every(REPORT_MS, () => say({ edge: "metrics", report: reportMetrics(metrics) }));
  // The market has spoken before this worker could hear it: all of it anew.
  say({ edge: "lapped", streams: [] });
  site.open();
  say({ edge: "ready", address: site.listener.address });
  return async () => {
    site.stop();
    await site.close();
    stopping.abort();
    RingReader.wake(memory);
    await reading;
    report.cancel();
    for (const stop of stops) stop();
    say({ edge: "metrics", report: reportMetrics(metrics) });
  };
}

async function readRing(
  reader: RingReader,
  number: number,
  site: EdgeSite,
  stopping: AbortSignal,
): Promise<void> {
  const { edge } = site;
  const speaker = new RingSpeaker(number, edge, {
    hole: (stream) => edge.hole(stream),
    retelling: (instruments) => edge.beginAnew(instruments),
  });
  speaker.lapped();
  const laps = edge.options.metrics.laps;
  while (!stopping.aborted) {
    const { tick } = reader;
    switch (reader.take((record) => speaker.speak(record))) {
      case "some":
        // Sockets and timers must have their turn however long the run is.
        await nextTurn();
        break;
      case "lapped":
        laps.value++;
        speaker.lapped();
        say({ edge: "lapped", streams: edge.streams });
        break;
      case "empty":
        await reader.wait(tick);
    }
  }
}

let close: (() => Promise<void>) | undefined;

self.addEventListener("message", ({ data }: MessageEvent) => {
  const word = data as ToWorker;
  if (word.edge === "start") {
    start(word).then((stop) => close = stop, (error) => {
      const { hint, code } = error instanceof UserError ? error : {};
      say({ edge: "failed", reason: reasonOf(error), hint, code });
    });
  } else if (word.edge === "close") {
    Promise.resolve(close?.()).catch((error) => portLog({}).error(`close the worker: ${reasonOf(error)}`))
      .finally(() => say({ edge: "closed" }));
  }
});
