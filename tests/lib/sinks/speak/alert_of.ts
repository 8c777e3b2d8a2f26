/** Alerts by number. */
import type { Alert } from "../../../../lib/sinks/speak/alert.ts";

export function alertOf(id: number, fields: Partial<Alert> = {}): Alert {
  return {
    key: `key ${id}`,
    rule: "rule",
    priority: "normal",
    at_ms: 0,
    text: `alert ${id}`,
    values: { id },
    ...fields,
  };
}
