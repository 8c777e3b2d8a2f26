/**
 * What /ready says, as metrics for alerts: a sink whose other side is away writes nothing, so no counter of errors tells
 * of it. Asked at each scrape; parts that went with a reload are gone.
 */
import type { Metrics } from "../base/metrics.ts";
import type { Hub, Surroundings } from "./hub.ts";

export function readyMetrics(
  metrics: Metrics,
  hub: Pick<Hub, "readiness"> & Pick<Surroundings, "parts">,
): void {
  const ready = metrics.gauge("mdg_ready", "1 while /ready says yes");
  const part_ready = metrics.gauge("mdg_part_ready", "1 while this sink or source can work", [
    "role",
    "part",
  ]);
  metrics.onCollect(() => {
    ready.with().value = hub.readiness().ready ? 1 : 0;
    part_ready.children.clear();
    for (const { role, name, reason } of hub.parts()) {
      part_ready.with(role, name).value = reason === undefined ? 1 : 0;
    }
  });
}
