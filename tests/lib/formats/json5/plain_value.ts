/** A located value as plain JavaScript, the way the json5 package builds it: last duplicate wins, `__proto__` is a key. */
import type { LocatedValue } from "../../../../lib/formats/located.ts";

export function plainValue(located: LocatedValue): unknown {
  if (located.kind === "scalar") {
    return typeof located.value === "bigint" ? Number(located.value) : located.value;
  }
  if (located.kind === "sequence") return located.items.map(plainValue);
  const object = {};
  for (const { key, value } of located.entries) {
    Object.defineProperty(object, key, {
      value: plainValue(value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}
