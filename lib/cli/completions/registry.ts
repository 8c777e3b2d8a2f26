/**
 * The shells that `mdg completions` knows.
 */
export { bash } from "./bash.ts";
export { zsh } from "./zsh.ts";
export { fish } from "./fish.ts";
