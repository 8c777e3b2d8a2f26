import assert from "node:assert/strict";
import {
  hashOf,
  KEY_HASH,
  KEY_ID,
  keyIdOf,
  makeKey,
  matchesKey,
} from "../../../../lib/servers/access/api_key.ts";

Deno.test("keys: the id is in the key, the hash is of the whole key, and no two are alike", () => {
  const keys = Array.from({ length: 100 }, makeKey);
  assert.equal(new Set(keys.map(({ id }) => id)).size, 100);
  assert.equal(new Set(keys.map(({ key }) => key)).size, 100);
  for (const { id, key, hash } of keys) {
    assert.match(key, /^mdg_[a-z0-9]{13}_[a-z2-7]{52}$/);
    assert.match(id, KEY_ID);
    assert.match(hash, KEY_HASH);
    assert.equal(keyIdOf(key), id);
    assert.ok(matchesKey(key, hash));
    assert.equal(hashOf(key), hash);
  }
});

Deno.test("keys: another secret, another id, a cut or longer key and an unknown one do not match", () => {
  const one = makeKey();
  const other = makeKey();
  assert.ok(!matchesKey(other.key, one.hash));
  assert.ok(!matchesKey(one.key, undefined));
  const moved = one.key.replace(one.id, other.id);
  assert.equal(keyIdOf(moved), other.id);
  assert.ok(!matchesKey(moved, one.hash), "a secret under another id is another key");
  for (
    const text of [one.key.slice(0, -1), one.key + "a", one.key.toUpperCase(), `mdg__${one.key}`, "", "mdg_"]
  ) {
    assert.equal(keyIdOf(text), undefined, text);
  }
});

Deno.test("keys: compared by the constant-time comparison of the runtime, whatever differs", async () => {
  const source = await Deno.readTextFile(
    new URL("../../../../lib/servers/access/api_key.ts", import.meta.url),
  );
  assert.match(source, /import \{ createHash, timingSafeEqual \} from "node:crypto"/);
  // nothing else in the folder compares a hash
  for await (const { name } of Deno.readDir(new URL("../../../../lib/servers/access/", import.meta.url))) {
    if (!name.endsWith(".ts") || name === "api_key.ts") continue;
    const text = await Deno.readTextFile(new URL(`../../../../lib/servers/access/${name}`, import.meta.url));
    assert.doesNotMatch(text, /hashOf|[!=]==? *(?:\w+\.)*(?:secret|token)\b(?! *\.)/, name);
  }
});
