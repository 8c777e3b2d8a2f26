/**
 * A config text as a tree with places, whatever its format, behind the limits that every config has. Shared by all who
 * must agree on paths: loading, and encrypting values in place.
 */
import { locateJson5 } from "../formats/json5/locate.ts";
import { parseJson5 } from "../formats/json5/parse.ts";
import type { LocatedValue } from "../formats/located.ts";
import type { SourceText } from "../formats/source_text.ts";
import { SyntaxFault } from "../formats/syntax_error.ts";
import { locateYaml } from "../formats/yaml/locate.ts";
import { ConfigError } from "./problem.ts";
import type { ConfigFormat } from "./read_source.ts";

const MAX_DEPTH = 200;
/** Values (and keys), aliases written out. Zod's issue lists go through call arguments, so they must stay short of the stack. */
const MAX_NODES = 50_000;

/** Throws a ConfigError at the first thing that is not the format. */
export function locateConfig(source: SourceText, format: ConfigFormat): LocatedValue {
  try {
    if (format === "yaml") {
      return locateYaml(source, { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, merge_keys: true });
    }
    const document = parseJson5(source, { dialect: format, max_depth: MAX_DEPTH });
    if (document.nodes.count > MAX_NODES) {
      throw new SyntaxFault(
        source,
        document.offsetOf(MAX_NODES),
        `more than ${MAX_NODES} values and keys: want fewer`,
      );
    }
    return locateJson5(document);
  } catch (error) {
    throw error instanceof SyntaxFault ? ConfigError.fromSyntax(error) : error;
  }
}
