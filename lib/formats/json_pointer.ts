/** Paths as JSON Pointers (RFC 6901): the one spelling that is unambiguous for any key. */

export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
