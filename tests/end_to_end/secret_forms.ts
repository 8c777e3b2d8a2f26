/**
 * Looks for a secret in what came out, in every form it may have taken. Written apart from the code that masks
 * (lib/base/known_secrets.ts), so that both would have to be wrong.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

/** Blanks, quotes, slashes, a percent sign, a letter beyond ASCII: every escape changes it. */
export const SECRET = `  hun"ter/2+ %41 ü\\canary-f00d `;

/** The forms, each long enough not to occur by chance. */
export function formsOf(secret: string): Map<string, string> {
  const forms = new Map<string, string>();
  for (const [name, text] of [["raw", secret], ["trimmed", secret.trim()], ["core", "canary-f00d"]]) {
    const bytes = Buffer.from(text);
    forms.set(name, text);
    forms.set(`${name} json`, JSON.stringify(text).slice(1, -1));
    forms.set(`${name} url`, encodeURIComponent(text));
    forms.set(`${name} form`, encodeURIComponent(text).replaceAll("%20", "+"));
    forms.set(`${name} hex`, bytes.toString("hex"));
    forms.set(`${name} HEX`, bytes.toString("hex").toUpperCase());
    for (const shift of [0, 1, 2]) {
      const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
      // the characters that these bytes alone decide
      const inner = whole.slice([0, 2, 3][shift], Math.floor((shift + bytes.length) * 8 / 6));
      forms.set(`${name} base64+${shift}`, inner);
      forms.set(`${name} base64url+${shift}`, inner.replaceAll("+", "-").replaceAll("/", "_"));
    }
  }
  return forms;
}

/** Fails when `text` holds the secret; the message names form and place, never the text. */
export function assertNoSecret(text: string, where: string, secret = SECRET): void {
  for (const [form, needle] of formsOf(secret)) {
    assert.ok(needle.length >= 6, form);
    assert.ok(!text.includes(needle), `${where} holds the secret (${form})`);
  }
}

/** What `ps` would show of every process: command lines, and the environments that may be read. */
export function processTable(): string {
  let text = "";
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const file of ["cmdline", "environ"]) {
      try {
        text += `${name} ${file} ${Deno.readTextFileSync(`/proc/${name}/${file}`).replaceAll("\0", " ")}\n`;
      } catch {
        // ended meanwhile, or another user's
      }
    }
  }
  return text;
}

/** The text of every file below the folder. */
export function filesBelow(folder: string): string {
  let text = "";
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) text += filesBelow(path);
    else if (isFile) text += `${path}\n${Deno.readTextFileSync(path)}\n`;
  }
  return text;
}
