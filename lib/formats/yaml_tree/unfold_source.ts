/**
 * A text as a tree of files that has been folded back: the files are only given when they mean what the text means.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { SourceText } from "../source_text.ts";
import { extensionOf, textFormatOf } from "../text_format.ts";
import { locateYaml } from "../yaml/locate.ts";
import { foldTrees, type TreeFolder } from "./fold.ts";
import { printFolded, sameValue } from "./print_folded.ts";
import { unfold, type UnfoldedFile } from "./unfold.ts";

/** The format goes by the extension of the text's name, as in a folder; without one it is YAML. */
export function unfoldSource(source: SourceText, depth: number): UnfoldedFile[] {
  const extension = textFormatOf(source.name) ? extensionOf(source.name) : ".yaml";
  const whole: TreeFolder = {
    kind: "folder",
    name: "",
    path: source.name,
    entries: [{ kind: "file", name: `@root${extension}`, source }],
  };
  const map = foldTrees([whole]);
  const text = printFolded(map);
  const files = unfold(source, map, depth);
  const again = printFolded(foldTrees([folderOf(files)]));
  const value = (text: string) => locateYaml(new SourceText(source.name, text), { keep_tags: true });
  if (text !== again && !sameValue(value(text), value(again))) {
    const reason = "its files would fold to other values, as anchors do that files share";
    throw new UserError(`unfold ${quoted(source.name, 200)}: ${reason}; want less --depth`);
  }
  return files;
}

function folderOf(files: readonly UnfoldedFile[]): TreeFolder {
  const root: TreeFolder = { kind: "folder", name: "", path: ".", entries: [] };
  for (const { path, text } of files) {
    const names = path.split("/");
    let folder = root;
    for (const name of names.slice(0, -1)) {
      let inner = folder.entries.find((one) => one.name === name);
      if (inner?.kind !== "folder") {
        inner = { kind: "folder", name, path: name, entries: [] };
        folder.entries.push(inner);
      }
      folder = inner;
    }
    folder.entries.push({ kind: "file", name: names[names.length - 1], source: new SourceText(path, text) });
  }
  return root;
}

/** The files of a tree, with paths relative to it. */
export function treeFiles(tree: TreeFolder, above = ""): UnfoldedFile[] {
  return tree.entries.flatMap((entry) =>
    entry.kind === "folder"
      ? treeFiles(entry, `${above}${entry.name}/`)
      : [{ path: above + entry.name, text: entry.source.text }]
  );
}
