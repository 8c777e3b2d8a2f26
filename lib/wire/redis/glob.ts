/**
 * Patterns as Redis knows them (PSUBSCRIBE, SCAN MATCH): `*`, `?`, `[ab]`, `[^a]`, `\` before a character that stands
 * for itself. Here for names that we compare ourselves, and to build patterns out of plain text.
 */
const SPECIAL = /[*?[\]\\]/g;

/** It stands for more than itself. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}
/** Plain text as a pattern that matches just that. */
export function escapeGlob(text: string): string {
  return text.replace(SPECIAL, "\\$&");
}
export function globMatcher(glob: string): (text: string) => boolean {
  const pattern = glob.replace(/\\(.)|\[(\^?)([^\]]*)\]|[\s\S]/g, (part, escaped, not, set) => {
    if (escaped !== undefined) return quotedForRegExp(escaped);
    if (set !== undefined) return set === "" ? "(?!)" : `[${not}${set.replace(/[\\\]^[]/g, "\\$&")}]`;
    return part === "*" ? "[\\s\\S]*" : part === "?" ? "[\\s\\S]" : quotedForRegExp(part);
  });
  const expression = new RegExp(`^${pattern}$`);
  return (text) => expression.test(text);
}

function quotedForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
