/**
 * The plan of the house as data: which room stands on which layer, which calls belong to one place, what waits to be
 * wired. The checker (check_tree.ts) knows nothing else; to change a border, change it here and say why.
 */

/** Room → layer. Imports go to a lower layer or stay in the room. */
export const LAYERS: Readonly<Record<string, number>> = {
  "main.ts": 6,
  "commands": 5,
  "lib/gateway": 4,
  "lib/sources": 3,
  "lib/sinks": 3,
  "lib/servers": 3,
  "lib/mocks": 3,
  "lib/bundle": 3,
  "lib/recorder": 3,
  "lib/monitors": 3,
  "lib/supervisor": 3,
  "lib/feeds": 2,
  "lib/client": 2,
  "lib/flow": 2,
  "lib/simulation": 2,
  "lib/config": 2,
  "lib/cli": 2,
  "lib/tui": 2,
  "lib/market": 1,
  "lib/formats": 1,
  "lib/wire": 1,
  "lib/os": 1,
  "lib/base": 0,
};

/** Who reads a room's registry, where that is not lib/gateway: a running gateway has no monitors, help has them all. */
export const REGISTRY_READERS: Readonly<Record<string, string>> = { "lib/monitors": "commands" };

/** Outside the house: they may import anything, and no room may import them. */
export const OUTBUILDINGS = ["scripts", "tests", "bench"];

export interface Ban {
  /** Calls and members as they are written: `Deno.exit`, `setTimeout`, `new Date()`; a bare object bans all of it. */
  names: readonly string[];
  /** Where they may stand: a file, or a folder with a slash at its end. */
  only: readonly string[];
  remedy: string;
}

export const BANS: readonly Ban[] = [
  {
    names: ["Deno.dlopen", "Deno.UnsafePointerView", "Deno.UnsafeCallback", "Deno.UnsafeFnPointer"],
    only: ["lib/os/"],
    remedy: "put the native call behind a function in lib/os",
  },
  {
    names: [
      "setTimeout",
      "setInterval",
      "setImmediate",
      "clearTimeout",
      "clearInterval",
      "Date.now",
      "new Date()",
      "performance.now",
      "Temporal.Now",
      "AbortSignal.timeout",
      "process.hrtime",
      "node:timers",
      "node:timers/promises",
    ],
    only: ["lib/base/clock.ts"],
    remedy: "take a Clock (lib/base/clock.ts) as a parameter and ask it",
  },
  {
    names: ["console"],
    only: ["lib/cli/output.ts"],
    remedy: "use world.stdout for data, world.log or world.stderr for talk",
  },
  {
    names: ["Deno.exit", "process.exit"],
    only: ["main.ts"],
    remedy: "return an exit code, or throw a UserError with its code",
  },
  {
    names: ["Deno.env", "process.env"],
    only: ["main.ts", "lib/config/", "scripts/"],
    remedy: "read world.env, or take the value as a parameter",
  },
  {
    names: ["Math.random"],
    only: ["lib/base/random.ts"],
    remedy: "take a Random (lib/base/random.ts) with a seed; for secrets use Web Crypto",
  },
];

/** Packages that may be loaded before a command is chosen: `mdg --help` waits for them. */
export const EAGER_PACKAGES = ["commander"];

/** No drawers: a file or folder is named after what it holds. */
export const DRAWER_WORDS = ["util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff"];

/** Terms of the field that hold a drawer word and say something all the same. */
export const FIELD_TERMS = ["shared_memory"];

export const MAX_FILE_LINES = 500;
export const MAX_FUNCTION_LINES = 70;
export const MAX_COMMENT_LINES = 8;

/**
 * Rooms (with a slash at the end) or files that nothing reaches yet because the code that wires them is still being
 * written. An entry that hides nothing is itself a failure, so this list empties itself.
 */
export const PENDING: readonly string[] = [];

/** `path function` → why it is better in one piece. An entry that excuses nothing is a failure as well. */
export const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  "lib/feeds/level_scanner.ts scanLevels":
    "the hottest loop of all; a call per number costs more than the rest",
};
