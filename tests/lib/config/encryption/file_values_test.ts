/** Encrypted values in place: every other byte kept, places bound, damage named, nothing shown. Interop with `age` too. */
import assert from "node:assert/strict";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { UserError } from "../../../../lib/base/errors.ts";
import { Random } from "../../../../lib/base/random.ts";
import { decryptValues, encryptValues, rekeyValues } from "../../../../lib/config/encryption/file_values.ts";
import { KeySelection } from "../../../../lib/config/encryption/key_selection.ts";
import { open } from "../../../../lib/formats/encrypted_value/token.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";

const YAML =
  `# top\na: {password: 'p1-secret', other: x}  # flow\nb:\n  - token: |\n      block one\n      two\n\n` +
  `  - token: "t-2\\u00e9"\nport: 6379 # end\n`;
const JSON5 =
  `{ // c\n  a: {password: 'p1\\x41-secret', n: 0x1F,}, /* d */ tokens: ['aa-aaaa', 'bb-bbbb',],\n}\n`;

async function pair() {
  const identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return { identity, encrypter, decrypter };
}
const texts = [{ format: "yaml", text: YAML }, { format: "json5", text: JSON5 }] as const;

for (const { format, text } of texts) {
  Deno.test(`${format}: encrypt, rekey and decrypt give every byte back`, async () => {
    const [old, next] = [await pair(), await pair()];
    const file = (content: string) => ({ format, source: new SourceText(`c.${format}`, content) });
    const closed = await encryptValues(file(text), new KeySelection([]), old.encrypter);
    assert.equal(closed.changed.length, 3);
    assert.doesNotMatch(closed.text, /secret|aa-aaaa|block one/);
    const rekeyed = await rekeyValues(file(closed.text), old.decrypter, next.encrypter);
    assert.notEqual(rekeyed.text, closed.text);
    await assert.rejects(decryptValues(file(rekeyed.text), undefined, old.decrypter), /none of the keys/);
    const opened = await decryptValues(file(rekeyed.text), undefined, next.decrypter);
    assert.equal(opened.text, text);
  });
}

Deno.test("a token moved to another key or list index does not open there", async () => {
  const { encrypter, decrypter } = await pair();
  const { text } = await encryptValues(
    { format: "json5", source: new SourceText("c", "{tokens: ['aa-aaaa', 'bb-bbbb']}") },
    new KeySelection([]),
    encrypter,
  );
  const [first, second] = text.match(/ENC\[[^\]]*\]/g)!;
  const swapped = text.replace(first, "@").replace(second, first).replace("@", second);
  await assert.rejects(
    decryptValues({ format: "json5", source: new SourceText("c", swapped) }, undefined, decrypter),
    /2 problems[^]*encrypted for another key/,
  );
});

Deno.test("length is told in classes only", async () => {
  const { encrypter } = await pair();
  const { seal } = await import("../../../../lib/formats/encrypted_value/token.ts");
  const lengths = new Set<number>();
  for (const value of ["", "a", "a".repeat(40)]) lengths.add((await seal({ value }, encrypter)).length);
  assert.equal(lengths.size, 1);
  assert.ok((await seal({ value: "a".repeat(300) }, encrypter)).length > [...lengths][0]);
});

Deno.test("damaged tokens are refused by a UserError, never by a crash", async () => {
  const { encrypter, decrypter } = await pair();
  const { seal } = await import("../../../../lib/formats/encrypted_value/token.ts");
  const token = await seal({ value: "canary-secret" }, encrypter);
  assert.equal((await open(token, decrypter)).value, "canary-secret");
  const random = new Random("damage");
  for (let round = 0; round < 300; round++) {
    const at = 8 + Math.floor(random.unit() * (token.length - 9));
    const other = token[at] === "A" ? "B" : "A";
    const damaged = random.unit() < 0.5
      ? token.slice(0, at) + other + token.slice(at + 1)
      : token.slice(0, at) + token.slice(at + 1 + Math.floor(random.unit() * 9));
    await assert.rejects(
      open(damaged, decrypter),
      (error) => error instanceof UserError && !error.message.includes("canary"),
      damaged,
    );
  }
});

Deno.test("keys that take nothing are named", async () => {
  const { encrypter } = await pair();
  const file = { format: "yaml", source: new SourceText("c.yaml", YAML) } as const;
  await assert.rejects(
    encryptValues(file, new KeySelection(["a.pasword"]), encrypter),
    /nothing at key "a.pasword"/,
  );
  for (const wrong of ["", "a..b", ".a", "a[", "/~2", 'a["x]']) {
    assert.throws(() => new KeySelection([wrong]), UserError, wrong);
  }
});
