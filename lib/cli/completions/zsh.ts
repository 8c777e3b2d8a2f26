/**
 * zsh: the same walk as in bash, with each word's doc beside it. May be sourced or put into a folder of $fpath.
 */
import type { CompletionFlag, CompletionNode, Shell } from "./model.ts";

export const zsh: Shell = {
  summary: "zsh 5 or newer",
  script(model) {
    const name = model.name;
    const routes = model.nodes.slice(1).map((node) => `"${node.route}"`).join("|");
    return `#compdef ${name}
# zsh completion for ${name}; made by: ${name} completions zsh
_${name}() {
  local route="${name}" previous="\${words[CURRENT-1]}"
  local -i i files=0
  local -a commands flags
  for ((i = 2; i < CURRENT; i++)); do
    case "$route \${words[i]}" in
      (${routes}) route="$route \${words[i]}" ;;
    esac
  done
  case "$route $previous" in
${model.nodes.flatMap((node) => node.flags.flatMap((flag) => valueCase(node, flag))).join("\n")}
  esac
  case "$route" in
${model.nodes.map(nodeCase).join("\n")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o flag flags
  elif (( \${#commands} )); then
    _describe command commands
    (( files )) && _files
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
  },
};

function valueCase(node: CompletionNode, flag: CompletionFlag): string[] {
  if (flag.value === undefined) return [];
  const names = [`--${flag.long}`, ...flag.short ? [`-${flag.short}`] : []];
  const pattern = names.map((name) => `"${node.route} ${name}"`).join("|");
  const offer = flag.value === "none"
    ? "return"
    : flag.value === "file"
    ? "_files; return"
    : flag.value === "directory"
    ? "_files -/; return"
    : `commands=(${flag.value.map(quote).join(" ")}); _describe value commands; return`;
  return [`    (${pattern}) ${offer} ;;`];
}

function nodeCase(node: CompletionNode): string {
  const commands = node.words.map(({ word, doc }) => quote(`${escape(word)}:${doc}`)).join(" ");
  const flags = node.flags.map(({ long, doc }) => quote(`--${escape(long)}:${doc}`)).join(" ");
  return `    ("${node.route}") commands=(${commands}) flags=(${flags}) files=${Number(node.takes_files)} ;;`;
}

/** A colon separates word and doc in _describe. */
function escape(word: string): string {
  return word.replaceAll(":", "\\:");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
