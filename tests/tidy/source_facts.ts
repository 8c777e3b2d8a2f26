/**
 * What one source file says, read from its syntax tree (Deno's lint parser): imports, uses of banned names, functions
 * and their lengths. A parser, not a pattern, so that strings and comments never count.
 */

export interface SourceFacts {
  /** `is_eager`: loaded before the file runs; dynamic and type-only imports are not. */
  imports: { specifier: string; line: number; is_eager: boolean }[];
  /** `Deno.exit`, `setTimeout`, `new Date()`, `console` … */
  uses: { name: string; line: number }[];
  functions: { name: string; line: number; lines: number }[];
  /** Lines of statements that are not `export … from "…"`. */
  own_statements: number[];
}

type Node = Deno.lint.Node;

export function readSourceFacts(path: string, source: string): SourceFacts {
  const facts: SourceFacts = { imports: [], uses: [], functions: [], own_statements: [] };
  const starts = lineStarts(source);
  const lineOf = (offset: number) => lineAt(starts, offset);
  const addImport = (node: Node | null | undefined, is_eager: boolean) => {
    if (node?.type === "Literal" && typeof node.value === "string") {
      facts.imports.push({ specifier: node.value, line: lineOf(node.range[0]), is_eager });
    }
  };
  const use = (name: string, node: Node) => facts.uses.push({ name, line: lineOf(node.range[0]) });
  const useIfGlobal = (node: Node | null | undefined) => {
    if (node?.type === "Identifier") use(node.name, node);
  };
  const addFunction = (node: Node & { id?: Node | null }) => {
    const name = node.id?.type === "Identifier" ? node.id.name : "(unnamed)";
    const [first, last] = [lineOf(node.range[0]), lineOf(node.range[1])];
    facts.functions.push({ name, line: first, lines: last - first + 1 });
  };
  const visitor: Deno.lint.LintVisitor = {
    Program(node) {
      for (const statement of node.body) {
        const is_re_export = statement.type === "ExportAllDeclaration" ||
          (statement.type === "ExportNamedDeclaration" && statement.source !== null);
        if (!is_re_export) facts.own_statements.push(lineOf(statement.range[0]));
      }
    },
    ImportDeclaration: (node) => addImport(node.source, node.importKind !== "type"),
    ExportAllDeclaration: (node) => addImport(node.source, node.exportKind !== "type"),
    ExportNamedDeclaration: (node) => addImport(node.source, node.exportKind !== "type"),
    ImportExpression: (node) => addImport(node.source, false),
    TSImportType: (node) => addImport(typeLiteral(node.argument), false),
    NewExpression(node) {
      if (node.callee.type !== "Identifier") return;
      if (node.callee.name === "Date" && node.arguments.length === 0) use("new Date()", node);
      // Workers: new URL("./worker.ts", import.meta.url)
      if (node.callee.name === "URL" && node.arguments.length === 2) {
        addImport(moduleLiteral(node.arguments[0]), false);
      }
    },
    MemberExpression(node) {
      const object = globalName(node.object);
      const property = propertyName(node);
      if (object !== undefined) use(object, node);
      if (object !== undefined && property !== undefined) use(`${object}.${property}`, node);
      if (node.object.type === "Identifier" && node.object.name === "globalThis" && property) {
        use(property, node);
      }
    },
    CallExpression(node) {
      useIfGlobal(node.callee);
      for (const argument of node.arguments) useIfGlobal(argument);
    },
    VariableDeclarator(node) {
      useIfGlobal(node.init);
      const object = globalName(node.init);
      if (object === undefined || node.id.type !== "ObjectPattern") return;
      for (const property of node.id.properties) {
        if (property.type === "Property" && property.key.type === "Identifier") {
          use(`${object}.${property.key.name}`, property);
        }
      }
    },
    AssignmentPattern: (node) => useIfGlobal(node.right),
    Property: (node) => useIfGlobal(node.value),
    FunctionDeclaration: addFunction,
    FunctionExpression: addFunction,
    ArrowFunctionExpression: addFunction,
  };
  Deno.lint.runPlugin({ name: "tidy", rules: { facts: { create: () => visitor } } }, path, source);
  return facts;
}

function globalName(node: Node | null | undefined): string | undefined {
  if (node?.type === "Identifier") return node.name;
  if (node?.type !== "MemberExpression" || node.object.type !== "Identifier") return undefined;
  return node.object.name === "globalThis" ? propertyName(node) : undefined;
}

function propertyName(node: Deno.lint.MemberExpression): string | undefined {
  if (!node.computed && node.property.type === "Identifier") return node.property.name;
  return node.property.type === "Literal" && typeof node.property.value === "string"
    ? node.property.value
    : undefined;
}

/** `import("./x.ts").X`: the literal sits inside a literal type, depending on the parser's version. */
function typeLiteral(node: Node | undefined): Node | undefined {
  return node?.type === "TSLiteralType" ? node.literal : node;
}

function moduleLiteral(node: Node): Node | undefined {
  return node.type === "Literal" && typeof node.value === "string" && /^\..*\.tsx?$/.test(node.value)
    ? node
    : undefined;
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
