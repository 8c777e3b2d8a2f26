/**
 * The flags that every command understands, before or after its words. They shape how mdg talks, never what it does,
 * so no command sees them; a command that declares one of these names is refused when the program is built.
 */
import type { LogLevel } from "../base/log.ts";
import type { Flags, FlagValues } from "./command.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const satisfies readonly LogLevel[];

export const GLOBAL_FLAGS = {
  "log-level": {
    type: "text",
    value: "LEVEL",
    choices: LOG_LEVELS,
    default: "info",
    doc: "least important line that is logged",
  },
  "log-format": {
    type: "text",
    value: "FORMAT",
    choices: ["auto", "json", "text"],
    default: "auto",
    doc: "auto is text on a terminal, else JSON lines",
  },
  "no-color": { type: "boolean", doc: "never colour, as the variable NO_COLOR does" },
} as const satisfies Flags;

export type GlobalValues = FlagValues<typeof GLOBAL_FLAGS>;

/** Names taken by the frame itself. */
export const RESERVED_NAMES: readonly string[] = [...Object.keys(GLOBAL_FLAGS), "help", "version"];
