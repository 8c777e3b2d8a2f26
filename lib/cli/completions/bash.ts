/**
 * bash: one function that walks the typed words to a route, then offers that route's words, flags or values.
 * Works with bash 4.4 and newer, without the bash-completion package.
 */
import type { CompletionFlag, CompletionModel, CompletionNode, Shell } from "./model.ts";

export const bash: Shell = {
  summary: "bash 4.4 or newer",
  script(model) {
    const name = model.name;
    return `# bash completion for ${name}; made by: ${name} completions bash
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" route="${name}" i
  # bash splits --flag=value at the equals sign
  if [[ $current == "=" ]]; then current=""; elif [[ $previous == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$route \${COMP_WORDS[i]}" in
      ${routes(model).join(" | ")}) route="$route \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$route $previous" in
${model.nodes.flatMap((node) => node.flags.flatMap((flag) => valueCase(node, flag))).join("\n")}
  esac
  local words="" files="" next=""
  case "$route" in
${model.nodes.map(nodeCase).join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ -n $files && $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$next" -- "$current"; compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _${name} ${name}
`;
  },
};

function routes(model: CompletionModel): string[] {
  return model.nodes.slice(1).map((node) => `"${node.route}"`);
}

function valueCase(node: CompletionNode, flag: CompletionFlag): string[] {
  if (flag.value === undefined) return [];
  const names = [`--${flag.long}`, ...flag.short ? [`-${flag.short}`] : []];
  const pattern = names.map((name) => `"${node.route} ${name}"`).join(" | ");
  const offer = flag.value === "none"
    ? "return"
    : flag.value === "file" || flag.value === "directory"
    ? `mapfile -t COMPREPLY < <(compgen -${
      flag.value === "file" ? "f" : "d"
    } -- "$current"); compopt -o filenames 2>/dev/null; return`
    : `mapfile -t COMPREPLY < <(compgen -W "${flag.value.join(" ")}" -- "$current"); return`;
  return [`    ${pattern}) ${offer} ;;`];
}

function nodeCase(node: CompletionNode): string {
  const next = node.words.map(({ word }) => word).join(" ");
  const words = [next, ...node.flags.map(({ long }) => `--${long}`)].join(" ").trim();
  const files = node.takes_files ? ` files=1${next && ` next="${next}"`}` : "";
  return `    "${node.route}") words="${words}"${files} ;;`;
}
