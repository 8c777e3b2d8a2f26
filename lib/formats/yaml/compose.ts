/**
 * YAML 1.2 text to the `yaml` package's Document, behind our limits and errors. Nesting is measured on the flat parse
 * first, because the package composes recursively and would end in a stack overflow. Exactly one document; a
 * `%YAML 1.1` header is refused rather than half obeyed. Comments and blank lines stay in the Document.
 */
import { Composer, type CST, type Document, Lexer, Parser } from "yaml";
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";

export interface YamlOptions {
  /** How deep collections may nest, aliases followed; default 200. */
  max_depth?: number;
  /** How many nodes the value may have with aliases written out; default 200,000. */
  max_nodes?: number;
  /** Tags that mean nothing to YAML itself (`!reset`) stay on their nodes; default false: they are faults. */
  keep_tags?: boolean;
}
export const DEFAULT_MAX_DEPTH = 200;
export const DEFAULT_MAX_NODES = 200_000;
/** White space, indicators and comments around one node; more than that is no text that people write. */
const TOKENS_PER_NODE = 8;

/** The one document; throws a SyntaxFault at the first error. Duplicate keys are left to the reader of the tree. */
export function composeYaml(source: SourceText, options: YamlOptions = {}): Document.Parsed {
  const { text } = source;
  refuseHuge(source, (options.max_nodes ?? DEFAULT_MAX_NODES) * TOKENS_PER_NODE);
  const tokens = [...new Parser().parse(text)];
  refuseDeep(source, tokens, options.max_depth ?? DEFAULT_MAX_DEPTH);
  // uniqueKeys compares every key with every other: quadratic, so the tree's reader does it with a set.
  const composer = new Composer({
    uniqueKeys: false,
    resolveKnownTags: !options.keep_tags,
    intAsBigInt: true,
    prettyErrors: false,
    logLevel: "error",
  });
  const documents = [...composer.compose(tokens, true, text.length)] as Document.Parsed[];
  for (const document of documents) {
    const faults = [...document.errors, ...document.warnings];
    const [fault] = faults.filter((one) => !options.keep_tags || one.code !== "TAG_RESOLVE_FAILED").sort((
      a,
      b,
    ) => a.pos[0] - b.pos[0]);
    if (fault) throw new SyntaxFault(source, fault.pos[0], reasonFor(fault.code, fault.message));
  }
  if (documents.length > 1) {
    throw new SyntaxFault(
      source,
      documents[1].range[0],
      "a second document starts: want one document per file",
    );
  }
  const [document] = documents;
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== "1.2") {
    throw new SyntaxFault(source, 0, `"%YAML ${document.directives.yaml.version}": want YAML 1.2`);
  }
  return document;
}

function reasonFor(code: string, message: string): string {
  if (code === "TAB_AS_INDENT") return "tab in the indentation: want spaces";
  const [first] = message.split("\n");
  return first.charAt(0).toLowerCase() + first.slice(1);
}

/** Counts tokens before anything is built of them: parsing costs microseconds and hundreds of bytes a token. */
function refuseHuge(source: SourceText, max_tokens: number): void {
  let count = 0;
  let offset = 0;
  for (const token of new Lexer().lex(source.text)) {
    if (++count > max_tokens) {
      throw new SyntaxFault(source, offset, `more than ${max_tokens} tokens: want a smaller text`);
    }
    // The lexer's own marks stand for no text.
    if (!LEXER_MARKS.has(token)) offset += token.length;
  }
}
const LEXER_MARKS = new Set(["\u0002", "\u0018", "\u001f"]);

function refuseDeep(source: SourceText, tokens: readonly CST.Token[], max_depth: number): void {
  const pending: { token: CST.Token; depth: number }[] = [];
  const visit = (token: CST.Token | null | undefined, depth: number) => {
    if (token && typeof token === "object") pending.push({ token, depth });
  };
  for (const token of tokens) visit(token, 0);
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { token, depth } = next;
    if (token.type === "document") visit(token.value, depth);
    if (!("items" in token)) continue;
    if (depth >= max_depth) {
      throw new SyntaxFault(source, token.offset, `nesting is deeper than ${max_depth} levels`);
    }
    for (const item of token.items) {
      visit(item.key, depth + 1);
      visit(item.value, depth + 1);
    }
  }
}
