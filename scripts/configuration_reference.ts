/**
 * docs/configuration.md from the config schema of this build (`mdg config schema`): every key with its form, default and
 * doc. Nothing is written here that the schema does not say. Pure text; scripts/docs.ts writes it and a test compares.
 */
interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** The key that tells the alternatives of a list apart: `kind` of a sink, `when` of a rule. */
interface Variants {
  key: string;
  schemas: JsonSchema[];
}

const INTRODUCTION = `# Configuration reference

Made from the schema by \`deno task docs\`; a test refuses a stale one. The same for editors:
\`mdg config schema > mdg.schema.json\`. \`mdg config check FILE\` names every problem with its line,
\`mdg config show FILE\` prints what a file amounts to, defaults filled and secrets masked.

A config is YAML, JSON5, JSONC or JSON. Any value may hold \`\${NAME}\` or \`\${NAME:-fallback}\` from the
environment, and text may be \`ENC[age,…]\` ([secrets](security.md#secrets)). Keys that are not listed are
errors; a key without a default is absent unless written.
`;

/** The whole page as markdown, before the formatter. */
export function configurationReference(schema: { oneOf?: unknown }): string {
  const [sections, flat] = schema.oneOf as JsonSchema[];
  const plugins = ["sources", "sinks", "servers"];
  const { properties = {} } = sections;
  const general = Object.entries(properties).filter(([key]) => !plugins.includes(key));
  const parts = [INTRODUCTION, "## Keys of the gateway\n", keyList(Object.fromEntries(general), [])];
  for (const plugin of plugins) {
    const list = properties[plugin];
    parts.push(`## \`${plugin}\`\n`, `${list.description ?? ""}.\n`);
    for (const one of variantsOf(list.items!)!.schemas) parts.push(...kindSection(plugin, one));
  }
  parts.push(
    "## Flat keys\n",
    "The older service's one level of keys, taken as they are and translated into sections.\n",
    keyList(flat.properties ?? {}, flat.required ?? []),
  );
  return parts.join("\n");
}

function kindSection(plugin: string, schema: JsonSchema): string[] {
  const { kind, ...keys } = schema.properties!;
  const parts = [`### ${plugin}: \`${kind.const}\`\n`, `${schema.description ?? ""}.\n`];
  const required = schema.required ?? [];
  if (Object.keys(keys).length > 0) parts.push(keyList(keys, required));
  for (const [name, key] of Object.entries(keys)) {
    const variants = key.items && variantsOf(key.items);
    for (const one of variants ? variants.schemas : []) {
      const { [variants!.key]: word, ...own } = one.properties!;
      parts.push(`\`${name}\` with \`${variants!.key}: ${word.const}\`: ${one.description ?? ""}\n`);
      parts.push(keyList(own, one.required ?? []));
    }
  }
  return parts;
}

function keyList(keys: Record<string, JsonSchema>, required: readonly string[]): string {
  const items = Object.entries(keys).flatMap(([key, schema]) =>
    itemsOf(key, schema, required.includes(key), "")
  );
  return [...items, ""].join("\n");
}

/** A key's item, and below it one for each key of the object (or the list's objects) it holds. */
function itemsOf(path: string, schema: JsonSchema, is_required: boolean, indent: string): string[] {
  const form = formOf(schema);
  const fallback = defaultText(schema.default);
  const facts = [form, is_required && fallback === "" ? "**needed**" : "", fallback && `default ${fallback}`];
  const words = facts.filter((word) => word !== "").join(", ");
  const doc = oneLine(schema.description ?? "");
  const items = [`${indent}- \`${path}\`${words && ` (${words})`}${doc && `: ${doc}`}`];
  for (const choice of choicesOf(schema)) {
    const [inner, mark] = choice.type === "array" && choice.items
      ? [choice.items, "[]"] as const
      : [choice, ""] as const;
    if (variantsOf(inner)) continue;
    for (const [key, one] of Object.entries(inner.properties ?? {})) {
      const is_needed = inner.required?.includes(key) ?? false;
      items.push(...itemsOf(`${path}${mark}.${key}`, one, is_needed, `${indent}  `));
    }
  }
  return items;
}

/** Docs are plain text: what markdown would take for its own is escaped. */
function oneLine(text: string): string {
  return text.replaceAll("\n", " ").replace(/[*<_]/g, "\\$&");
}

function defaultText(value: unknown): string {
  const is_nothing = value === undefined ||
    typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return is_nothing ? "" : `\`${JSON.stringify(value)}\``;
}

/** What may stand there, without the offer of a variable, which every value has. */
function choicesOf(schema: JsonSchema): JsonSchema[] {
  const choices = schema.anyOf ?? schema.oneOf;
  if (!choices) return [schema];
  return choices.filter(({ pattern }) => !pattern?.startsWith("^\\$\\{[") && pattern !== "\\$\\{")
    .flatMap(choicesOf);
}

function variantsOf(schema: JsonSchema): Variants | undefined {
  const schemas = schema.oneOf;
  const key = Object.entries(schemas?.[0]?.properties ?? {}).find(([_, one]) => one.const !== undefined)?.[0];
  return schemas && key ? { key, schemas } : undefined;
}

function formOf(schema: JsonSchema): string {
  const words = choicesOf(schema).map(formOfOne);
  return [...new Set(words)].filter((word) => word !== "").join(", or ");
}

function formOfOne(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((one) => `\`${one}\``).join(" ");
  switch (schema.type) {
    case "array":
      return `list of ${schema.items ? formOf(schema.items) || "text" : "values"}`;
    case "object":
      return schema.properties ? "" : "keys and values";
    case "integer":
    case "number":
      return `${schema.type === "integer" ? "integer" : "number"}${
        rangeText(schema.minimum, schema.maximum)
      }`;
    case "boolean":
      return "`true` `false`";
    case "string":
      return "text";
    default:
      return "";
  }
}

/** ` 1 … 5000`; the bounds of safe integers are no bounds to a reader. */
function rangeText(minimum: number | undefined, maximum: number | undefined): string {
  const is_safe = (value: number) => Math.abs(value) >= Number.MAX_SAFE_INTEGER;
  const low = minimum === undefined || is_safe(minimum) ? undefined : minimum;
  const high = maximum === undefined || is_safe(maximum) ? undefined : maximum;
  if (low === undefined && high === undefined) return "";
  if (high === undefined) return ` from ${low}`;
  return low === undefined ? ` up to ${high}` : ` ${low} … ${high}`;
}
