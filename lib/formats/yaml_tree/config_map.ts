/**
 * The files of a folder as a Kubernetes ConfigMap, as `kubectl create configmap --from-file` makes it: file names are keys,
 * texts stay texts, other bytes go to binaryData. Refuses what kubectl drops without a word (folders) and what the API
 * server would refuse: keys, names and sizes beyond its rules.
 */
import { Buffer } from "node:buffer";
import { quoted, UserError } from "../../base/errors.ts";
import type { LocatedScalar } from "../located.ts";
import { yamlString } from "../yaml/scalar_text.ts";
import { type BlockEntry, BlockMap, type Body } from "./block_tree.ts";
import type { TreeFile, TreeFolder } from "./fold.ts";
import { insert, refuseTwice } from "./merge.ts";
import { textBody } from "./text_body.ts";

/** kubernetes.io, ConfigMap: "The data stored in a ConfigMap cannot exceed 1 MiB". */
const MAX_DATA_BYTES = 1024 * 1024;
const MAX_KEY_LENGTH = 253;

export interface ConfigMapNames {
  name: string;
  namespace?: string;
}

export function configMapOf(trees: readonly TreeFolder[], { name, namespace }: ConfigMapNames): BlockMap {
  const metadata = new BlockMap();
  put(metadata, "name", scalarBody(dnsName(name, "--name", 253)));
  if (namespace !== undefined) put(metadata, "namespace", scalarBody(dnsName(namespace, "--namespace", 63)));
  const [all, data, binary] = [new BlockMap(), new BlockMap(), new BlockMap()];
  let bytes = 0;
  for (const file of trees.flatMap(filesOf)) {
    const { source } = file;
    bytes += file.bytes?.length ?? new TextEncoder().encode(source.text).length;
    if (bytes > MAX_DATA_BYTES) {
      const reason = `with it the data has more than ${MAX_DATA_BYTES} bytes, want less`;
      throw new UserError(`fold ${quoted(source.name, 200)}: ${reason}`);
    }
    const body = file.bytes ? scalarBody(Buffer.from(file.bytes).toString("base64")) : textBody(source.text);
    const entry = {
      key: file.name,
      head: yamlString(file.name),
      lead: [],
      body,
      place: { path: source.name },
    };
    insert(all, { ...entry }, refuseTwice);
    put(file.bytes ? binary : data, file.name, body);
  }
  const root = new BlockMap();
  put(root, "apiVersion", scalarBody("v1"));
  put(root, "kind", scalarBody("ConfigMap"));
  put(root, "metadata", { kind: "map", rest: "", map: metadata });
  if (data.size > 0) put(root, "data", { kind: "map", rest: "", map: data });
  if (binary.size > 0) put(root, "binaryData", { kind: "map", rest: "", map: binary });
  return root;
}

function filesOf(tree: TreeFolder): TreeFile[] {
  const files = tree.entries.map((entry) => {
    if (entry.kind === "file") return entry;
    throw new UserError(
      `fold ${quoted(entry.path, 200)}: a folder, and a ConfigMap has none; want files only`,
    );
  });
  for (const { name, source } of files) {
    if (/^[-._a-zA-Z0-9]+$/.test(name) && name.length <= MAX_KEY_LENGTH) continue;
    const wanted = `letters, digits, "-", "_" and ".", at most ${MAX_KEY_LENGTH}`;
    throw new UserError(
      `fold ${quoted(source.name, 200)}: its name is no key of a ConfigMap, want ${wanted}`,
    );
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function dnsName(name: string, flag: string, max_length: number): string {
  if (/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= max_length) return name;
  const wanted = `small letters, digits, "-" and ".", at most ${max_length}`;
  throw new UserError(`name the ConfigMap ${quoted(name)}: no DNS name, want ${wanted}`, {
    code: 2,
    hint: `${flag} gives another`,
  });
}

function scalarBody(text: string): Body {
  const value: LocatedScalar = { kind: "scalar", value: text, text, offset: 0, end: 0 };
  return { kind: "inline", rest: yamlString(text), lines: [], value };
}

function put(map: BlockMap, key: string, body: Body): void {
  const entry: BlockEntry = { key, head: yamlString(key), lead: [], body, place: { path: key } };
  map.entries.set(key, entry);
}
