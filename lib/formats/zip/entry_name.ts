/**
 * Names inside an archive: relative, `/` between parts, nothing that leads out of the folder it is unpacked to or means
 * something else on another system. One judge for writing and for verifying, so that neither takes what the other refuses.
 */

/** Longest name, in UTF-8 bytes: what every file system and unpacker takes. */
export const MAX_NAME_BYTES = 4_096;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Why this name may not stand in an archive; undefined when it may. A folder's name ends in "/". */
export function nameFault(name: string): string | undefined {
  const bare = name.endsWith("/") ? name.slice(0, -1) : name;
  if (bare === "") return "an empty name";
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) return `longer than ${MAX_NAME_BYTES} bytes`;
  if (bare.startsWith("/")) return "an absolute path";
  if (/^[A-Za-z]:/.test(bare)) return "a Windows drive";
  if (bare.includes("\\")) return "a backslash, which unpacks differently on Windows";
  if (/\p{Cc}/u.test(bare)) return "a control character";
  for (const part of bare.split("/")) {
    if (part === "..") return "it leads out of the folder (..)";
    if (part === "" || part === ".") return "an empty part of the path";
    if (WINDOWS_DEVICE.test(part)) return "the name of a Windows device";
  }
  return undefined;
}

/** Byte order of the UTF-8 names, the same on every machine and in every locale. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    // code points sort as their UTF-8 bytes do; UTF-16 units would not
    if (left[i] !== right[i]) return left[i].codePointAt(0)! - right[i].codePointAt(0)!;
  }
  return left.length - right.length;
}

/** Names that are one file where letter case or Unicode composition does not count. */
export function foldedName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
