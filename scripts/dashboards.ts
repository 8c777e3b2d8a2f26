/**
 * Writes deploy/grafana/dashboards/*.json from the lists in scripts/dashboards/. Use: deno task dashboards
 * A test refuses files that are not what this writes.
 */
import { grafanaJson } from "./dashboards/dashboard.ts";
import * as dashboards from "./dashboards/registry.ts";

const FOLDER = new URL("../deploy/grafana/dashboards/", import.meta.url);

/** File name → its text. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    Object.entries(dashboards).map(([name, dashboard]) => [
      `${name}.json`,
      JSON.stringify(grafanaJson(dashboard), null, 2) + "\n",
    ]),
  );
}

if (import.meta.main) {
  await Deno.mkdir(FOLDER, { recursive: true });
  for (const [name, text] of dashboardFiles()) await Deno.writeTextFile(new URL(name, FOLDER), text);
}
