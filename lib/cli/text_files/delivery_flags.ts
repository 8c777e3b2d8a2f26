/**
 * Flags that the text tools share; spread them into `flags`. Apart from deliver.ts, so that help loads no engine.
 */

/** Every converting tool. j5-format has its own: its -o is another flag, and it compares files with themselves. */
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

/** Every tool that lays text out. */
export const INDENT_FLAG = {
  indent: {
    type: "number",
    value: "N",
    short: "i",
    integer: true,
    min: 0,
    max: 16,
    default: 2,
    doc: "spaces per level",
  },
} as const;
