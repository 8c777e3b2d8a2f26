/**
 * Whether a config value under a secret's key is no secret itself: encrypted, taken from the environment, or left to be
 * filled in. A default inside `${NAME:-default}` is a value in plain text and counts as one.
 */

const NO_SECRET = [
  /^$/,
  // by us or by sops
  /^ENC\[\w+,/,
  /^\*+$/,
  /^<[^<>]*>$/,
  /^\{\{.*\}\}$/,
  // a variable or a command's output, in the manner of a shell
  /^\$[A-Za-z_0-9@]\w*$/,
  /^\$\{[A-Za-z_]\w*(?::?[-?+])?\}$/,
  /^\$\(.*\)$/,
  /^(?:null|~|true|false|none|undefined)$/i,
];

export function isPlaceholder(value: string): boolean {
  const text = value.trim();
  return NO_SECRET.some((pattern) => pattern.test(text));
}
