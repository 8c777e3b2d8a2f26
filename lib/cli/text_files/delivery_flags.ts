/**
 * The flags every converting tool has; spread them into `flags`. Apart from deliver.ts, so that help loads no engine.
 */

/** The flags every converting tool has; spread them into `flags`. */
export const DELIVERY_FLAGS = {
  output: {
    type: "text",
    value: "FILE",
    short: "o",
    doc: "write this file, whole or not at all, instead of stdout",
  },
  check: { type: "boolean", doc: "write nothing; exit 1 when the output file would change (needs -o)" },
  diff: { type: "boolean", doc: "write nothing; print the difference to the output file (needs -o)" },
} as const;
