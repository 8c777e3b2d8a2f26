/**
 * What works on Linux and breaks on Windows, found in the text of the sources: folders that are not there, signals that
 * throw, native calls before anybody asked, addresses taken for paths. What is for Linux only says so by its place.
 */

/** Rooms and files that refuse other systems with a word before they do any of this. */
export const LINUX_ONLY: Readonly<Record<string, string>> = {
  "lib/os/": "native calls, /proc: each function refuses other systems, or says what is missing",
  "lib/supervisor/": "mdg supervise needs process trees and pidfds",
  "commands/supervise/": "the same",
};

/** `trap file` → why it is none there. */
export const EXCUSED: Readonly<Record<string, string>> = {
  "signal main.ts": "SIGTERM and SIGHUP stand behind a look at the system",
  "signal lib/tui/terminal.ts": "SIGWINCH is known on Windows, too",
};

const TRAPS: readonly [trap: string, pattern: RegExp][] = [
  ["folder", /["'`]\/(?:tmp|dev|proc|run|etc|usr|sys|bin|var)(?:\/|["'`])/],
  ["signal", /addSignalListener\(\s*"SIG(?!INT\b|BREAK\b)/],
  ["signal", /\.kill\([^)]*"SIG(?:HUP|USR1|USR2|STOP|CONT)"/],
  ["native call at load", /^(?:export )?(?:const|let|var) .*\bdlopen\(/m],
  ["path of an address", /import\.meta\.url\)\.pathname/],
  ["path of an address", /\bfile:\/\/\$\{/],
  ["owner", /\bDeno\.(?:uid|gid|umask)\(/],
  ["home", /\benv\.HOME\b(?!.*USERPROFILE)/],
  ["unix socket", /transport:\s*"unix(?:packet)?"/],
  ["shell", /new Deno\.Command\(\s*["'](?:sh|bash|\/bin\/sh)["']/],
];

/** `trap file`, once each. */
export function trapsIn(file: string, source: string): string[] {
  if (Object.keys(LINUX_ONLY).some((place) => file.startsWith(place))) return [];
  const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...new Set(TRAPS.filter(([, pattern]) => pattern.test(code)).map(([trap]) => `${trap} ${file}`))];
}
