/**
 * What a YAML file may hold but not take along into another: repeated keys, keys that are no text, directives, lone
 * carriage returns (some readers end a line there, some do not).
 */
import { type Document, isScalar, type Scalar, visit } from "yaml";
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";

export function refuseUnmovable(source: SourceText, document: Document.Parsed): void {
  const lone_return = source.text.search(/\r(?!\n)/);
  if (lone_return >= 0) {
    throw new SyntaxFault(source, lone_return, "a lone carriage return: want lines that end in LF or CR LF");
  }
  const directive = source.text.search(/^%TAG\b/m);
  if (directive >= 0 && Object.keys(document.directives.tags).length > 1) {
    throw new SyntaxFault(source, directive, "a %TAG directive: want tags written in full");
  }
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        // Anything else has been refused by the tree's reader.
        if (!isScalar(key)) continue;
        const name = keyName(key);
        if (seen.has(name)) {
          const reason = `key ${JSON.stringify(name)} repeats: want each key once`;
          throw new SyntaxFault(source, key.range?.[0] ?? 0, reason);
        }
        seen.add(name);
      }
    },
  });
}

/** As the located tree names it: numbers and words by their spelling. */
function keyName(key: Scalar): string {
  return typeof key.value === "string" ? key.value : key.source ?? String(key.value);
}
