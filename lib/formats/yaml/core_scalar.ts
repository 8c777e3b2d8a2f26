/**
 * What a plain word means in YAML 1.2's core schema (yaml.org/spec/1.2.2 §10.3.2). For texts that come from elsewhere
 * than a YAML file but should be typed like one, such as environment variables. Refuses null: an empty text stays text.
 */
export function coreScalar(text: string): string | number | boolean {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  // An integer has no negative zero: adding 0 drops the sign.
  if (/^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text)) return Number(text) + 0;
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text)) return Number(text);
  if (/^[-+]?\.(inf|Inf|INF)$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^\.(nan|NaN|NAN)$/.test(text)) return NaN;
  return text;
}
