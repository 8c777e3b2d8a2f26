/**
 * The syntax tree as the neutral located value (lib/formats/located.ts). Bottom-up in one backward pass over the nodes,
 * without recursion: children are built before their container is reached.
 */
import type { LocatedEntry, LocatedValue } from "../located.ts";
import { type Json5Document, NodeKind } from "./document.ts";

export function locateJson5(document: Json5Document): LocatedValue {
  const built = new Map<number, LocatedValue>();
  const take = (node: number): LocatedValue => {
    const value = built.get(node)!;
    built.delete(node);
    return value;
  };
  for (let node = document.nodes.count - 1; node >= 0; node--) {
    const kind = document.kindOf(node);
    if (kind === NodeKind.key) continue;
    const offset = document.offsetOf(node);
    const end = document.endOf(node);
    if (kind === NodeKind.array) {
      built.set(node, { kind: "sequence", offset, end, items: Array.from(document.children(node), take) });
    } else if (kind === NodeKind.object) {
      const entries: LocatedEntry[] = [];
      for (const child of document.children(node)) {
        if (document.kindOf(child) !== NodeKind.key) continue;
        const key = document.keyText(child);
        entries.push({ key, key_offset: document.offsetOf(child), value: take(child + 1) });
      }
      built.set(node, { kind: "mapping", offset, end, entries });
    } else {
      const value = document.scalarValue(node);
      built.set(node, { kind: "scalar", offset, end, value, text: document.textOf(node) });
    }
  }
  return take(document.root);
}
