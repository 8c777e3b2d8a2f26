/** The flags that every monitor understands. One sampler serves them all. */
export const MONITOR_FLAGS = {
  json: { type: "boolean", doc: "one JSON object a line and poll" },
  csv: { type: "boolean", doc: "a line of CSV a poll, with a header" },
  check: {
    type: "boolean",
    doc: "one line as monitoring plugins print it; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN",
  },
  once: { type: "boolean", doc: "look once and end" },
  count: { type: "number", value: "N", short: "n", integer: true, min: 1, doc: "end after so many looks" },
  interval: {
    type: "number",
    value: "SECONDS",
    short: "i",
    min: 0.1,
    max: 3_600,
    doc: "between two looks, and what --once and --check measure over; absent: 2, with --once or --check 1",
  },
  timeout: {
    type: "number",
    value: "SECONDS",
    min: 0.1,
    max: 600,
    default: 5,
    doc: "a look without an answer for so long has failed",
  },
  warning: {
    type: "list",
    value: "NAME=RANGE",
    short: "w",
    doc: "WARNING when the value is outside the range (10, 10:, ~:10, 10:20), with @10:20 inside; ~: never",
  },
  critical: { type: "list", value: "NAME=RANGE", short: "c", doc: "CRITICAL, likewise" },
} as const;
