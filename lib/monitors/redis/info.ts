/** The answer to INFO: `key:value` lines as numbers and texts; a field that this server does not have is absent. */
export class RedisInfo {
  readonly #fields = new Map<string, string>();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const at = line.indexOf(":");
      if (at > 0 && !line.startsWith("#")) this.#fields.set(line.slice(0, at), line.slice(at + 1).trimEnd());
    }
  }
  text(name: string): string | undefined {
    return this.#fields.get(name);
  }
  number(name: string): number | undefined {
    const text = this.#fields.get(name);
    return text === undefined || text === "" || !Number.isFinite(Number(text)) ? undefined : Number(text);
  }
  /** Fields such as `db0` or `slave1`, in the order of their numbers, with what follows in parts: `keys=1,expires=0`. */
  numbered(prefix: string): { name: string; parts: ReadonlyMap<string, string> }[] {
    const found: { name: string; index: number; parts: ReadonlyMap<string, string> }[] = [];
    for (const [name, value] of this.#fields) {
      const index = name.startsWith(prefix) ? name.slice(prefix.length) : "";
      if (!/^\d+$/.test(index)) continue;
      const parts = value.split(",").map((part) => part.split("=") as [string, string]);
      found.push({ name, index: Number(index), parts: new Map(parts) });
    }
    return found.toSorted((one, other) => one.index - other.index);
  }
}
