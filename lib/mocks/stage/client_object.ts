/** A client's message as the JSON object that most venues expect; undefined for anything else. */
export type ClientObject = Readonly<Record<string, unknown>>;

export function clientObject(text: string): ClientObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): ClientObject | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? value as ClientObject
    : undefined;
}

/** The texts of a list, or undefined where it is no list of at least one text and nothing else. */
export function textList(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string")
    ? value
    : undefined;
}

/** A decimal text as the venues write JSON numbers: without trailing zeros. */
export function plainNumber(text: string): string {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}
