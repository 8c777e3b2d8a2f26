/**
 * No key, token or secret, and no piece of one that would help, in anything that is said: logs at every level, refusals,
 * metrics, errors, grants printed whole.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import type { TenantAccess } from "../../../../lib/servers/access/tenant_access.ts";
import { accessSchema } from "../../../../lib/servers/access/access_config.ts";
import { masked } from "../../../../lib/config/secret.ts";
import { Issuer, JWT, makeKey, PEER, withAccess } from "./tenants_rig.ts";

/** Everything a value says when somebody prints it. */
const printed = (value: unknown) =>
  inspect(value, { depth: 20, showHidden: true, getters: true }) + (JSON.stringify(value) ?? "");

Deno.test("leaks: no part of a key or token is in a log, a refusal, a metric or a grant", async () => {
  const issuer = await Issuer.create();
  const [key, revoked] = [makeKey(), { ...makeKey(), revoked: "2026-01-01T00:00:00Z" }];
  const tokens = [
    key.key,
    revoked.key,
    makeKey().key,
    await issuer.sign({ jti: "t1" }),
    await issuer.sign({ aud: "elsewhere" }),
    await issuer.sign({ exp: 1 }),
    await issuer.sign({ sub: "nobody" }),
    `${await issuer.sign()}x`,
    "hunter2-is-no-token-at-all",
    `mdg_${key.id}_${"a".repeat(52)}`,
  ];
  const said: string[] = [];
  await withAccess({
    tenants: [{ id: "acme", keys: [key, revoked], quotas: { connections: 1 } }],
    jwt: JWT,
    files: { "jwks.json": await issuer.jwks() },
  }, async ({ access, change, log, metrics }) => {
    for (const token of tokens) {
      const verdict = await access.authenticate(token, PEER);
      said.push(printed(verdict));
      if (!verdict.ok) continue;
      for (let i = 0; i < 2; i++) said.push(printed(await access.admit(verdict.ok)));
      said.push(printed(access.renew(verdict.ok)));
      said.push(verdict.ok.refuses(key.key, key.key, key.key, 1) ?? "");
    }
    // a file into which somebody pasted a whole key, in several wrong places
    for (
      const text of [
        `tenants: [{id: "${key.key}"`,
        `${key.key}`,
        `{"tenants": [{"id": 5, "keys": [{"hash": 7}]}]}`,
      ]
    ) {
      await change(text);
    }
    said.push(...log.lines);
    for (const { name, help, children } of metrics.families.values()) {
      said.push(name, help, ...[...children.values()].flatMap(({ labels }) => labels));
    }
  });
  const everything = said.join("\n");
  assert.ok(everything.length > 5_000, "something was said at all");
  for (const token of tokens) {
    // of a key its secret part, of a JWT its signature and claims
    const parts = token.startsWith("mdg_")
      ? [token.slice(-52)]
      : token.split(".").filter((part) => part.length > 12);
    for (const part of parts) {
      for (
        const form of [
          part,
          Buffer.from(part).toString("base64"),
          encodeURIComponent(part),
          part.slice(0, 24),
        ]
      ) {
        const at = everything.indexOf(form);
        // the first part of a JWT names the algorithm only, and the refusal quotes what a client asked for, shortened
        assert.ok(at < 0 || isHarmless(form), everything.slice(Math.max(0, at - 200), at + 100));
      }
    }
  }
});

function isHarmless(form: string): boolean {
  return form.startsWith("eyJhbGci");
}

Deno.test("leaks: the config is shown without its secrets, and its errors do not repeat them", () => {
  const hmac_secret = "an hmac secret of more than 32 characters";
  const config = accessSchema.parse({
    tenants_file: "t.yaml",
    jwt: { issuer: "i", audience: "a", algorithms: ["HS256"], hmac_secret },
    quotas: { redis: { url: "redis://:redis-password@127.0.0.1:6379", password: "redis-password-2" } },
  });
  const shown = JSON.stringify(masked(config, accessSchema));
  for (const secret of [hmac_secret, "redis-password", "redis-password-2"]) {
    assert.ok(!shown.includes(secret), shown);
  }
  const { error } = accessSchema.safeParse({
    tenants_file: "t.yaml",
    jwt: { issuer: "i", audience: "a", algorithms: ["ES256"], hmac_secret: "short-secret" },
  });
  assert.doesNotMatch(String(error), /short-secret/);
});

Deno.test("leaks: keys of tenants stand in no property of the access", async () => {
  const key = makeKey();
  await withAccess({ tenants: [{ id: "acme", keys: [key] }] }, async ({ access }) => {
    const verdict = await access.authenticate(key.key, PEER);
    assert.ok(verdict.ok);
    assert.ok(!printed(access satisfies TenantAccess).includes(key.key.slice(-52)));
  });
});
