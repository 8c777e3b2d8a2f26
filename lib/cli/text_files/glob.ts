/**
 * Ignore patterns as in .gitignore, the plain part: `*` and `?` within a name, `**` across folders, a pattern without a
 * slash matches a name at any depth, a trailing slash is allowed. Refuses: negation and character classes.
 */

/** Matches paths with `/`, relative to the folder that holds the pattern. */
export function globToRegExp(pattern: string): RegExp {
  const bare = pattern.replace(/\/$/, "");
  const anchored = bare.includes("/");
  const body = bare.replace(/^\//, "").replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : `\\${part}`;
  });
  return new RegExp(`^${anchored ? "" : "(?:.*/)?"}${body}$`);
}
