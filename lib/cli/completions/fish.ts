/**
 * fish: one `complete` line per word and flag, each conditioned on the route typed so far.
 */
import type { CompletionFlag, CompletionNode, Shell } from "./model.ts";

export const fish: Shell = {
  summary: "fish 3 or newer",
  script(model) {
    const name = model.name;
    const routes = model.nodes.slice(1).map((node) => quote(node.route)).join(" ");
    const lines = model.nodes.flatMap((node) => [
      ...node.words.map(({ word, doc }) => `${at(name, node)} -f -a ${quote(word)} -d ${quote(doc)}`),
      ...node.flags.map((flag) => flagLine(name, node, flag)),
      ...node.takes_files ? [`${at(name, node)} -F`] : [],
    ]);
    return `# fish completion for ${name}; made by: ${name} completions fish
function __${name}_route
    set -l route ${name}
    for word in (commandline -opc)[2..-1]
        switch "$route $word"
            case ${routes}
                set route "$route $word"
        end
    end
    echo $route
end
complete -c ${name} -f
${lines.join("\n")}
`;
  },
};

function at(name: string, node: CompletionNode): string {
  return `complete -c ${name} -n ${quote(`test "$(__${name}_route)" = "${node.route}"`)}`;
}

function flagLine(name: string, node: CompletionNode, flag: CompletionFlag): string {
  const parts = [at(name, node), `-l ${flag.long}`];
  if (flag.short) parts.push(`-s ${flag.short}`);
  if (flag.value === "file") parts.push("-r -F");
  else if (flag.value === "directory") parts.push("-x -a '(__fish_complete_directories)'");
  else if (flag.value === "none") parts.push("-x");
  else if (flag.value) parts.push(`-x -a ${quote(flag.value.join(" "))}`);
  parts.push(`-d ${quote(flag.doc)}`);
  return parts.join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
