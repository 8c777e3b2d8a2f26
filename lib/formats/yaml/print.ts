/**
 * Plain data as YAML that YAML 1.1 and 1.2 readers take for the same values: whatever either could misread is quoted,
 * lines are never folded, and characters that some readers refuse are written as escapes.
 * Takes objects in their key order; integer-like keys, which JavaScript moves to the front, belong in a Map.
 */
import { Document, Scalar, visit } from "yaml";

// A tab in a plain scalar is legal, but PyYAML refuses it.
const LOOKS_SPECIAL = /^(=|<<)$|\t/;
const UNREADABLE = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/;

export function printYaml(value: unknown): string {
  const document = new Document(value, { compat: "yaml-1.1", aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value !== "string") return;
      if (LOOKS_SPECIAL.test(scalar.value) || UNREADABLE.test(scalar.value)) {
        scalar.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  const text = document.toString({ lineWidth: 0 });
  // Only inside double quotes can such a character stand here, because its scalar was just forced into them.
  return text.replace(
    new RegExp(UNREADABLE, "g"),
    (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
