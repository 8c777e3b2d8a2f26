/**
 * One scalar as YAML text that YAML 1.1 and 1.2 readers take for the same value. Strings are plain only when they look
 * like words to everyone; all others stand in double quotes with every odd character escaped. Numerals are spelled so
 * that both versions' rules match (1.1 wants a point and a signed exponent in floats, 1.2 no sign before 0x).
 */
import { decimalText } from "../json5/spell_json.ts";

const WORD = /^[A-Za-z][A-Za-z0-9_./@+-]*(?:[: ]?[A-Za-z0-9_./@+-]+)*$/;
/** Words that some reader takes for a boolean, null or number, in any case. */
const SPECIAL = /^(?:y|n|yes|no|on|off|true|false|null|e[0-9]+)$/i;
const UNREADABLE =
  /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

export function yamlString(value: string): string {
  if (WORD.test(value) && !SPECIAL.test(value) && value.length <= 200) return value;
  return JSON.stringify(value).replace(
    UNREADABLE,
    (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** A JSON5 numeral, same exact value. */
export function yamlNumeral(text: string): string {
  const word = /^[+]?(-?)(Infinity|NaN)$/.exec(text);
  if (word) return word[2] === "NaN" ? ".nan" : `${word[1]}.inf`;
  if (/^[-]NaN$/.test(text)) return ".nan";
  if (/^\+?0x/i.test(text)) return text.replace(/^\+/, "").replace(/^0X/, "0x");
  const decimal = decimalText(text);
  if (/^-0+$/.test(decimal)) return "-0.0";
  if (/^-?\d+$/.test(decimal)) return /\./.test(text) ? `${decimal}.0` : decimal;
  const [, mantissa, sign, exponent] = /^([^eE]*)(?:[eE]([-+]?)(\d+))?$/.exec(decimal)!;
  const pointed = mantissa.includes(".") ? mantissa : `${mantissa}.0`;
  return exponent === undefined ? pointed : `${pointed}e${sign || "+"}${exponent}`;
}
