/**
 * The keys that a config names for itself, under `encryption`: read from the tree as it is, because they are needed before
 * the schema can judge the rest. What has another shape is left to the schema to report.
 */
import { dirname, isAbsolute, join } from "node:path";
import { entryOf, type LocatedValue } from "../../formats/located.ts";
import type { KeySources } from "./key_ring.ts";

/** `config_path` gives relative identity files their folder. */
export function keySourcesOf(root: LocatedValue, config_path: string): KeySources {
  const section = root.kind === "mapping" ? entryOf(root, "encryption")?.value : undefined;
  if (section?.kind !== "mapping") return {};
  const identity = entryOf(section, "identity_file")?.value;
  const recipients = entryOf(section, "recipients")?.value;
  const file = textOf(identity);
  const listed = recipients?.kind === "sequence" ? recipients.items.map(textOf) : [];
  return {
    identity_files: file ? [isAbsolute(file) ? file : join(dirname(config_path), file)] : [],
    recipients: listed.filter((text) => text !== undefined),
  };
}

function textOf(value: LocatedValue | undefined): string | undefined {
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : undefined;
}
