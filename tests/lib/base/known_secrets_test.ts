/** Masking of decrypted values: every form, at any chunk border, and nothing else. */
import assert from "node:assert/strict";
import { KnownSecrets } from "../../../lib/base/known_secrets.ts";

const SECRET = ' pä"ss/wörd+42 \n';
const bytes = (text: string) => new TextEncoder().encode(text);
const trimmed = SECRET.trim();
const FORMS: Record<string, string> = {
  raw: SECRET,
  trimmed,
  json: JSON.stringify(trimmed).slice(1, -1),
  url: encodeURIComponent(trimmed),
  hex: bytes(trimmed).toHex(),
  HEX: bytes(trimmed).toHex().toUpperCase(),
};
for (const shift of [0, 1, 2]) {
  const text = "x".repeat(shift) + trimmed;
  FORMS[`base64 shifted by ${shift}`] = bytes(text).toBase64();
  FORMS[`base64url shifted by ${shift}`] = bytes(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

function known(): KnownSecrets {
  const secrets = new KnownSecrets();
  assert.equal(secrets.add(SECRET), true);
  return secrets;
}

for (const [name, form] of Object.entries(FORMS)) {
  Deno.test(`masked: ${name}, whole and at every chunk border`, () => {
    const secrets = known();
    const whole = secrets.mask(`before ${form} after`);
    // up to four characters at each end of a shifted base64 text belong to its neighbours too
    assert.match(whole, /^before .{0,4}\*\*\*[^]{0,5} after$/u);
    const text = `before ${form} after`;
    for (let border = 0; border <= text.length; border++) {
      const stream = secrets.stream();
      const out = stream.push(text.slice(0, border)) + stream.push(text.slice(border)) + stream.flush();
      assert.match(out, /\*\*\*/);
      assert.ok(!out.includes(form), `border ${border}`);
    }
  });
}

Deno.test("other text is untouched; short values are refused", () => {
  const secrets = known();
  assert.equal(secrets.mask("a password, 42 words"), "a password, 42 words");
  assert.equal(secrets.add("abc"), false);
  assert.equal(secrets.mask("abc"), "abc");
});

Deno.test("an API key of ours is masked by its form, known or not; its id stays", () => {
  const secrets = new KnownSecrets();
  const key = `mdg_k3v5t7qa_${"a2".repeat(26)}`;
  assert.equal(secrets.mask(`at ${key}, "${key}"`), 'at mdg_k3v5t7qa_***, "mdg_k3v5t7qa_***"');
  for (const text of ["mdg_k3v5t7qa", "mdg_config_check", "mdg_x_y"]) assert.equal(secrets.mask(text), text);
});
