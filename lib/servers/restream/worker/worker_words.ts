/** What the main thread and a Worker with clients say to each other beside the ring; ledger, pool and sessions have their own. */
import type { FailureCode } from "../../../base/errors.ts";
import type { LogFields, LogLevel } from "../../../base/log.ts";
import type { RestreamConfig } from "../restream.ts";
import type { EdgeSiteOptions } from "../edge/edge_site.ts";
import type { MetricsReport } from "./metrics_report.ts";

/** To the Worker. */
export type ToWorker =
  | {
    edge: "start";
    /** 1 and up: what `to` of the ring's records means. */
    number: number;
    memory: SharedArrayBuffer;
    options: EdgeSiteOptions;
    tls: RestreamConfig["tls"];
    access: RestreamConfig["access"];
  }
  | { edge: "close" };

/** From the Worker. */
export type FromWorker =
  | { edge: "ready"; address: string }
  | { edge: "failed"; reason: string; hint?: string; code?: FailureCode }
  | { edge: "closed" }
  | { edge: "log"; level: LogLevel; message: string; fields: LogFields }
  | { edge: "metrics"; report: MetricsReport }
  | { edge: "lapped"; streams: readonly number[] }
  | { edge: "open" | "close_stream" | "tell_snapshot" | "tell_status"; of: number }
  | { edge: "refresh" };
