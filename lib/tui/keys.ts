/** Bytes that a terminal sends as names of keys: "q", "+", "Space", "Up", "F1", "Ctrl-C". Unknown sequences are nothing. */
const NAMED: Readonly<Record<string, string>> = {
  "[A": "Up",
  "[B": "Down",
  "[C": "Right",
  "[D": "Left",
  "OA": "Up",
  "OB": "Down",
  "OC": "Right",
  "OD": "Left",
  "[H": "Home",
  "[F": "End",
  "OH": "Home",
  "OF": "End",
  "[1~": "Home",
  "[4~": "End",
  "[7~": "Home",
  "[8~": "End",
  "[5~": "PageUp",
  "[6~": "PageDown",
  "[Z": "Shift-Tab",
  "OP": "F1",
  "OQ": "F2",
  "OR": "F3",
  "OS": "F4",
  "[11~": "F1",
  "[12~": "F2",
  "[13~": "F3",
  "[14~": "F4",
  "[[A": "F1",
  "[[B": "F2",
  "[[C": "F3",
  "[[D": "F4",
};
const CONTROLS: Readonly<Record<number, string>> = {
  3: "Ctrl-C",
  4: "Ctrl-D",
  9: "Tab",
  10: "Enter",
  12: "Ctrl-L",
  13: "Enter",
  27: "Escape",
  32: "Space",
  127: "Backspace",
};
// deno-lint-ignore no-control-regex -- escape begins what a terminal sends for a key
const SEQUENCE = /^\u001b(\[\[[A-Z]|\[[0-9;]*[A-Za-z~]|O[A-Z])/;

/** A chunk as it was read; terminals send the bytes of a key together. */
export function keysOf(text: string): string[] {
  const keys: string[] = [];
  for (let rest = text; rest !== "";) {
    const sequence = SEQUENCE.exec(rest);
    if (sequence) {
      const name = NAMED[sequence[1]];
      if (name !== undefined) keys.push(name);
      rest = rest.slice(sequence[0].length);
      continue;
    }
    const [character] = rest;
    const code = character.codePointAt(0)!;
    const name = CONTROLS[code] ?? (code < 32 ? undefined : character);
    if (name !== undefined) keys.push(name);
    rest = rest.slice(character.length);
  }
  return keys;
}
