/**
 * Plain secrets in config texts, told by their keys: what the schema marks as secret, and what is called like one (password,
 * token …) anywhere. YAML and the JSON family are read as the gateway reads them; INI, TOML, .env and texts that cannot be
 * parsed are read line by line.
 */
import { isSecretKey } from "../../base/redact.ts";
import type { LocatedScalar, LocatedValue } from "../../formats/located.ts";
import { SourceText } from "../../formats/source_text.ts";
import { locateConfig } from "../../config/locate.ts";
import { type ConfigPath, pathText } from "../../config/problem.ts";
import { formatOf } from "../../config/read_source.ts";
import { childOf, locatedProbe, narrowed, type Schema } from "../../config/schema_walk.ts";
import { isSecret } from "../../config/secret.ts";
import { UserError } from "../../base/errors.ts";
import type { Finding } from "./finding.ts";
import { isPlaceholder } from "./placeholder.ts";

const TREES = /\.(?:ya?ml|json5?|jsonc|j5)$/i;
const LINES = /(?:^|\/)\.?env(?:\.[^/]*)?$|\.(?:env|ini|cfg|conf|toml|properties|service|sh)$/i;
const LINE = /^\s*(?:export\s+|set\s+|-\s+)?["']?([A-Za-z_][\w.-]*)["']?\s*[:=]\s*(.*?)\s*[,;]?\s*$/;
const KIND = "config-secret";

/** Whether a file of this name is looked at as a config. */
export function isConfigName(name: string): boolean {
  return TREES.test(name) || LINES.test(name);
}

/** Findings of one config text; `schema` is that of the gateway's own config. */
export function configFindings(name: string, text: string, schema: Schema | undefined): Finding[] {
  const source = new SourceText(name, text);
  if (TREES.test(name)) {
    try {
      return [...treeFindings(source, locateConfig(source, formatOf(name)), schema)];
    } catch (error) {
      // not one document of that format: whoever wrote it still wrote it in lines
      if (!(error instanceof UserError)) throw error;
    }
  }
  return lineFindings(source);
}

function* treeFindings(
  source: SourceText,
  root: LocatedValue,
  schema: Schema | undefined,
): Generator<Finding> {
  const seen = new Set<LocatedValue>();
  const walk = function* (
    value: LocatedValue,
    governing: Schema | undefined,
    path: ConfigPath,
  ): Generator<Finding> {
    if (seen.has(value)) return;
    seen.add(value);
    if (value.kind === "scalar") {
      if (isPlainSecret(value, path, governing)) {
        const { line } = source.positionAt(value.offset);
        yield { file: source.name, line, kind: KIND, detail: pathText(path) };
      }
      return;
    }
    const inner = narrowed(governing, locatedProbe(value));
    if (value.kind === "sequence") {
      for (const [i, item] of value.items.entries()) yield* walk(item, childOf(inner, i), [...path, i]);
    } else {
      for (const { key, value: child } of value.entries) {
        yield* walk(child, childOf(inner, key), [...path, key]);
      }
    }
  };
  yield* walk(root, schema, []);
}

function isPlainSecret({ value }: LocatedScalar, path: ConfigPath, governing: Schema | undefined): boolean {
  // an item of a list counts by the key of the list
  const key = path.findLast((step) => typeof step === "string");
  const is_named = typeof key === "string" && isSecretKey(key);
  if (!is_named && !isSecret(governing)) return false;
  if (value === null || typeof value === "boolean") return false;
  // `max_tokens: 12` is a number of tokens
  if (typeof value !== "string") return !/s$/i.test(String(key));
  return !isPlaceholder(value);
}

function lineFindings(source: SourceText): Finding[] {
  const findings: Finding[] = [];
  const lines = source.text.split(/\r\n|\n|\r/);
  for (const [i, text] of lines.entries()) {
    const [, key, value] = LINE.exec(text) ?? [];
    if (key === undefined || !isSecretKey(key)) continue;
    const bare = value.replace(/^(["'])(.*)\1$/, "$2").replace(/^(["'])$/, "");
    if (/^[\[{|>]/.test(bare) || (/s$/i.test(key) && /^\d+$/.test(bare)) || isPlaceholder(bare)) continue;
    findings.push({ file: source.name, line: i + 1, kind: KIND, detail: key });
  }
  return findings;
}
