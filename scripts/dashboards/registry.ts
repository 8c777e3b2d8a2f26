/** The dashboards, each under the name of its file in deploy/grafana/dashboards. */
export { clients } from "./clients.ts";
export { feeds } from "./feeds.ts";
export { latency } from "./latency.ts";
export { overview } from "./overview.ts";
export { sinks } from "./sinks.ts";
