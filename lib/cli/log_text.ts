/**
 * One log record as one readable line: time, level, message, then `key=value`. Control characters are escaped, so a
 * venue's frame cannot move the cursor of the person who reads.
 */

const COLORS: Readonly<Record<string, string>> = {
  trace: "90",
  debug: "90",
  info: "32",
  warn: "33",
  error: "31",
};

/** `{time, level, message, …fields}` → `05:48:42.123Z INFO  message key=value\n`. */
export function logText(record: Readonly<Record<string, unknown>>, color: boolean): string {
  const { time, level, message, ...fields } = record;
  const name = String(level);
  const label = name.toUpperCase().padEnd(5);
  const painted = color && COLORS[name] ? `\u001b[${COLORS[name]}m${label}\u001b[0m` : label;
  const parts = [String(time).slice(11), painted, printable(String(message))];
  for (const [key, value] of Object.entries(fields)) parts.push(`${printable(key)}=${fieldText(value)}`);
  return parts.join(" ") + "\n";
}

function fieldText(value: unknown): string {
  if (typeof value !== "string") return printable(JSON.stringify(value) ?? "undefined");
  return /^[^\s"=\p{Cc}\p{Cf}]+$/u.test(value) ? value : printable(JSON.stringify(value));
}

function printable(text: string): string {
  return text.replace(
    /\p{Cc}|\p{Cf}/gu,
    (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}
