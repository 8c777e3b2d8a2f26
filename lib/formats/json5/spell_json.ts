/**
 * Keys and leaves of a JSON5 document in JSON's spelling, exactly: hexadecimal and huge integers keep every digit,
 * strings every unit. What JSON cannot hold is a SyntaxFault at its place unless the caller says what to do.
 */
import { SyntaxFault } from "../syntax_error.ts";
import { duplicateKeys } from "./parse.ts";
import { type Json5Document, NodeKind } from "./document.ts";
import { exactNumber, numeralValue } from "./numeral.ts";

export interface JsonSpelling {
  /** NaN, Infinity and numerals beyond a double's range: a fault (default), null, or their text as a string. */
  non_finite?: "refuse" | "null" | "string";
  /** Integers that a double does not hold: all digits (default), their text as a string, or a fault. */
  big_integers?: "keep" | "string" | "refuse";
}

/** Throws at the first key that repeats an earlier one of its object. */
export function refuseDuplicates(document: Json5Document): void {
  const [repeated] = duplicateKeys(document);
  if (repeated === undefined) return;
  const key = JSON.stringify(document.keyText(repeated));
  throw new SyntaxFault(
    document.source,
    document.offsetOf(repeated),
    `key ${key} repeats: want each key once`,
  );
}

/** The `spell` of the formatter (format.ts). */
export function jsonSpeller(
  document: Json5Document,
  options: JsonSpelling = {},
): (node: number, text: string) => string {
  return (node, text) => {
    switch (document.kindOf(node)) {
      case NodeKind.key:
        return JSON.stringify(document.keyText(node));
      case NodeKind.string:
        return JSON.stringify(document.scalarValue(node));
      case NodeKind.number:
        return jsonNumeral(document, node, text, options);
      default:
        return text;
    }
  };
}

function jsonNumeral(document: Json5Document, node: number, text: string, options: JsonSpelling): string {
  const refuse = (reason: string): never => {
    throw new SyntaxFault(document.source, document.offsetOf(node), reason);
  };
  const value = numeralValue(text);
  if (!Number.isFinite(value) || (value === 0 && /^[-+]?[\d.]*[1-9]/.test(text))) {
    if (options.non_finite === "null") return "null";
    if (options.non_finite === "string") return JSON.stringify(text);
    const word = /[IN]/.test(text) ? "JSON has no such number" : "beyond the range of a double";
    return refuse(`${text.slice(0, 40)}: ${word}, want a finite number or --non-finite null|string`);
  }
  const big = typeof exactNumber(text) === "bigint";
  const decimal = decimalText(text);
  if (big && options.big_integers === "string") return JSON.stringify(decimal);
  if (big && options.big_integers === "refuse") {
    return refuse(`${text.slice(0, 40)}: a double does not hold this integer, want one up to 2^53`);
  }
  return decimal;
}

/** A finite JSON5 numeral as a JSON number of the same exact value; JSON numerals stay as they are. */
export function decimalText(text: string): string {
  const sign = text.startsWith("-") ? "-" : "";
  const bare = text.replace(/^[-+]/, "");
  if (/^0x/i.test(bare)) return sign + BigInt(bare).toString();
  return sign + bare.replace(/^\./, "0.").replace(/\.(?!\d)/, "");
}
