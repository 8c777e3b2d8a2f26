/** Editing: unchanged values keep every byte, changed and new ones are closed for their place, nothing plain slips out. */
import assert from "node:assert/strict";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { closeConfig, openConfig } from "../../../../lib/config/encryption/edit_values.ts";
import { decryptValues, encryptValues } from "../../../../lib/config/encryption/file_values.ts";
import { KeySelection } from "../../../../lib/config/encryption/key_selection.ts";
import type { ConfigFormat } from "../../../../lib/config/read_source.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";

const TEXTS = {
  yaml:
    "# top\nredis:\n  password: 'one-secret' # keep\n  tokens:\n    - two-secret\n    - \"three-secret\"\nport: 6379\n",
  json5:
    "{ // top\n redis: {password: 'one-secret', tokens: ['two-secret', \"three-secret\",],}, port: 6379,\n}\n",
} as const;

for (const [format, text] of Object.entries(TEXTS) as [ConfigFormat, string][]) {
  const file = (content: string) => ({ format, source: new SourceText(`c.${format}`, content) });
  const begin = async () => {
    const identity = await generateX25519Identity();
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const plain = async (content: string) => (await decryptValues(file(content), undefined, decrypter)).text;
    const open = async (content: string) => {
      const closed = (await encryptValues(file(content), new KeySelection([]), encrypter)).text;
      const opened = await openConfig(file(closed), undefined, decrypter);
      return {
        closed,
        opened,
        close: (edited: string) => closeConfig(file(edited), opened, { encrypter, decrypter }),
        plain,
      };
    };
    return { open, ...await open(text) };
  };

  Deno.test(`${format}: opened it is the plain text, closed unchanged it is the same file`, async () => {
    const { closed, opened, close } = await begin();
    assert.equal(opened.text, text);
    assert.deepEqual(await close(text), { text: closed, changed: [] });
  });

  Deno.test(`${format}: only the changed value is closed anew; plain edits and comments stay`, async () => {
    const { closed, close, plain } = await begin();
    const edited = text.replace("two-secret", "two-changed").replace("top", "other comment").replace(
      "6379",
      "6380",
    );
    const result = await close(edited);
    assert.deepEqual(result.changed, [["redis", "tokens", 0]]);
    assert.equal(await plain(result.text), edited);
    const [before, after] = [closed, result.text].map((content) => content.match(/ENC\[[^\]]*\]/g)!);
    assert.deepEqual([after[0], after[2]], [before[0], before[2]]);
    assert.notEqual(after[1], before[1]);
    assert.doesNotMatch(result.text, /-secret|-changed/);
  });

  Deno.test(`${format}: moved, copied and new secrets are closed for their new place`, async () => {
    const { close, plain } = await begin();
    const edited = text
      .replace(
        /(- )?'?two-secret'?/,
        (item) => format === "yaml" ? `- new-first\n    ${item}` : `'new-first', ${item}`,
      )
      .replace(
        /port: 6379/,
        format === "yaml" ? "api_key: fresh-value\nport: 6379" : "api_key: 'fresh-value', port: 6379",
      );
    const result = await close(edited);
    assert.doesNotMatch(result.text, /-secret|new-first|fresh-value/);
    assert.equal(await plain(result.text), edited);
  });

  Deno.test(`${format}: an emptied secret stays empty, a removed one goes`, async () => {
    const { close } = await begin();
    const result = await close(text.replace("'one-secret'", '""'));
    assert.match(result.text, /password: ""/);
    assert.equal(result.text.match(/ENC\[/g)!.length, 2);
  });

  Deno.test(`${format}: a secret left in a comment, and text that cannot be read, are refused with their place`, async () => {
    const { close } = await begin();
    await assert.rejects(close(text.replace("top", "it is one-secret")), (error) => {
      assert.match(String(error), /c\.(yaml|json5):1:\d+: a secret in plain text/);
      assert.doesNotMatch(String(error), /one-secret/);
      return true;
    });
    await assert.rejects(
      close(text.replace("6379", '"ENC[age,typed]"')),
      /c\.(yaml|json5):\d+:\d+: port: damaged/,
    );
    await assert.rejects(close(text.replace(/tokens:.*/, "tokens: [[")), /c\.(yaml|json5):\d+:\d+: /);
  });

  Deno.test(`${format}: a secret that is also a word of the file can be edited`, async () => {
    const { open } = await begin();
    const worded = text.replace("one-secret", "password").replace("6379", "'two-secret'");
    const { opened, close, plain } = await open(worded);
    const edited = opened.text.replace("three-secret", "three-changed");
    const result = await close(edited);
    assert.deepEqual(result.changed, [["redis", "tokens", 1]]);
    assert.match(result.text, /port: 'two-secret'/);
    assert.equal(await plain(result.text), edited);
  });
}
