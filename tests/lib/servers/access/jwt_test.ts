import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { exportSPKI } from "jose";
import { accessSchema } from "../../../../lib/servers/access/access_config.ts";
import { Issuer, JWT, NOW_MS, PEER, withAccess } from "./tenants_rig.ts";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now_s = NOW_MS / 1000;

const issuer = await Issuer.create();
const files = { "jwks.json": await issuer.jwks() };
const tenants = [{ id: "acme" }, { id: "barred", revoked: "2026-01-01T00:00:00Z" }];

const judged = (token: string, jwt: Record<string, unknown> = JWT) => {
  const outcome = Promise.withResolvers<string>();
  return withAccess({ tenants, jwt, files }, async ({ access }) => {
    const { ok, refusal } = await access.authenticate(token, PEER);
    outcome.resolve(ok ? `${ok.tenant} ${ok.key_id} ${ok.expires_ms} ${ok.cut_off_ms}` : refusal!.code);
  }).then(() => outcome.promise);
};

Deno.test("jwt: a right one names its tenant, its end and when the connection is cut", async () => {
  const exp = now_s + 60;
  assert.equal(
    await judged(await issuer.sign({ jti: "t-1" })),
    `acme t-1 ${exp * 1000} ${(exp + 5 + 25) * 1000}`,
  );
  assert.equal(
    await judged(await issuer.sign({ aud: ["other", "mdg"] })),
    `acme key-1 ${exp * 1000} ${(exp + 30) * 1000}`,
  );
});

Deno.test("jwt: wrong audience, issuer, tenant, times and missing claims are refused", async () => {
  const cases: Record<string, [Record<string, unknown>, string]> = {
    "another audience": [{ aud: "elsewhere" }, "unauthorized"],
    "no audience": [{ aud: undefined }, "unauthorized"],
    "another issuer": [{ iss: "https://issuer.example.evil.net" }, "unauthorized"],
    "no issuer": [{ iss: undefined }, "unauthorized"],
    "expired": [{ exp: now_s - 6 }, "expired"],
    "no end": [{ exp: undefined }, "unauthorized"],
    "an end that is no number": [{ exp: "tomorrow" }, "unauthorized"],
    "not yet": [{ nbf: now_s + 6 }, "unauthorized"],
    "unknown tenant": [{ sub: "nobody" }, "unauthorized"],
    "no tenant": [{ sub: undefined }, "unauthorized"],
    "tenant of another type": [{ sub: { id: "acme" } }, "unauthorized"],
    "revoked tenant": [{ sub: "barred" }, "revoked"],
    "jti of another type": [{ jti: 5 }, "unauthorized"],
    "__proto__": [{ sub: "__proto__" }, "unauthorized"],
  };
  for (const [name, [claims, wanted]] of Object.entries(cases)) {
    assert.equal(await judged(await issuer.sign(claims)), wanted, name);
  }
  // inside the allowed skew
  assert.match(await judged(await issuer.sign({ exp: now_s - 4 })), /^acme/);
  assert.match(await judged(await issuer.sign({ nbf: now_s + 4 })), /^acme/);
});

Deno.test("jwt: no forged, unsigned or re-signed token is taken", async () => {
  const claims = { iss: JWT.issuer, aud: "mdg", sub: "acme", exp: now_s + 60 };
  const [header, payload, signature] = (await issuer.sign()).split(".");
  const stranger = await Issuer.create();
  const spki = await exportSPKI(issuer.pair.publicKey);
  const hmacWith = (key: string | Uint8Array, alg = "HS256") => {
    const body = `${part({ alg, kid: "key-1" })}.${part(claims)}`;
    return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
  };
  const raw = JSON.stringify(await issuer.jwk());
  const forged: Record<string, string> = {
    "alg none": `${part({ alg: "none" })}.${part(claims)}.`,
    "alg none with a signature": `${part({ alg: "none", kid: "key-1" })}.${part(claims)}.${signature}`,
    "alg nOnE": `${part({ alg: "nOnE", kid: "key-1" })}.${part(claims)}.${signature}`,
    "no alg": `${part({ kid: "key-1" })}.${part(claims)}.${signature}`,
    "public key as HMAC secret (PEM)": hmacWith(spki),
    "public key as HMAC secret (PEM, trimmed)": hmacWith(spki.trim()),
    "public key as HMAC secret (JWK)": hmacWith(raw),
    "empty HMAC secret": hmacWith(new Uint8Array(0)),
    "HMAC said to be ES256": hmacWith(spki, "ES256"),
    "changed claims": `${header}.${part({ ...claims, sub: "barred" })}.${signature}`,
    "changed signature": `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    "no signature": `${header}.${payload}.`,
    "zero signature (CVE-2022-21449)": `${header}.${payload}.${Buffer.alloc(64).toString("base64url")}`,
    "another's key under our kid": await stranger.sign(),
    "key in the header": await stranger.sign({}, { jwk: await stranger.jwk() }),
    "key at a URL of the token": await stranger.sign({}, {
      jku: "https://evil.example/jwks",
      x5u: "https://e.x/",
    }),
    "critical extension": await issuer.sign({}, { crit: ["exp"] }).catch(() =>
      `${part({ alg: "ES256", kid: "key-1", crit: ["x"], x: 1 })}.${payload}.${signature}`
    ),
    "kid of another type": `${part({ alg: "ES256", kid: ["key-1"] })}.${payload}.${signature}`,
    "kid of a path": await issuer.sign({}, { kid: "../../etc/passwd" }),
    "long kid": await issuer.sign({}, { kid: "x".repeat(5_000) }),
    "huge": `${header}.${"A".repeat(10_000)}.${signature}`,
    "two parts": `${header}.${payload}`,
    "four parts": `${header}.${payload}.${signature}.x`,
    "empty": "",
    "blank": " ",
  };
  for (const [name, token] of Object.entries(forged)) {
    assert.equal(await judged(token), "unauthorized", name);
  }
  // and the frame they were forged from is right
  assert.match(await judged(`${header}.${payload}.${signature}`), /^acme/);
});

Deno.test("jwt: only the algorithms of the list, though the key would do", async () => {
  const rsa = await Issuer.create("rsa", "RS256");
  const jwk = { ...await rsa.jwk(), alg: undefined };
  const token = await rsa.sign({}, { alg: "PS256" }).catch(() => undefined);
  assert.equal(token, undefined, "the signer itself keeps keys apart");
  await withAccess({
    tenants,
    jwt: { ...JWT, algorithms: ["PS256", "ES256"] },
    files: { "jwks.json": JSON.stringify({ keys: [jwk] }) },
  }, async ({ access }) => {
    assert.equal((await access.authenticate(await rsa.sign(), PEER)).refusal?.code, "unauthorized");
  });
});

Deno.test("jwt: a shared secret works alone, and never beside public keys", async () => {
  const secret = "a shared secret of more than 32 characters";
  const jwt = { issuer: JWT.issuer, audience: "mdg", algorithms: ["HS256"], hmac_secret: secret };
  const sign = (key: string) => issuer.sign({}, { alg: "HS256" }, new TextEncoder().encode(key));
  assert.match(await judged(await sign(secret), jwt), /^acme/);
  assert.equal(await judged(await sign(secret + "x"), jwt), "unauthorized");
  assert.equal(await judged(await issuer.sign(), jwt), "unauthorized");
  const wrong: Record<string, unknown>[] = [
    { ...JWT, algorithms: ["ES256", "HS256"] },
    { ...JWT, algorithms: ["HS256"] },
    { ...JWT, algorithms: ["none"] },
    { ...JWT, algorithms: [] },
    { ...jwt, algorithms: ["HS256", "ES256"] },
    { ...jwt, jwks_file: "jwks.json" },
    { ...jwt, hmac_secret: "short" },
    { ...JWT, jwks_url: "https://issuer.example/jwks" },
    { ...JWT, jwks_file: undefined },
    { ...JWT, jwks_file: undefined, jwks_url: "http://issuer.example/jwks" },
    { ...JWT, jwks_file: undefined, jwks_url: "https://user:pass@issuer.example/jwks" },
    { ...JWT, jwks_file: undefined, jwks_url: "file:///etc/jwks" },
    { ...JWT, audience: [] },
    { ...JWT, issuer: undefined },
  ];
  for (const one of wrong) {
    const { success } = accessSchema.safeParse({ tenants_file: "t.yaml", jwt: one });
    assert.ok(!success, JSON.stringify(one));
  }
});

Deno.test("jwt: after twenty refused ones an address waits; others, and keys, do not", async () => {
  await withAccess({ tenants, jwt: JWT, files }, async ({ access, clock, results }) => {
    const [good, bad] = [await issuer.sign(), await issuer.sign({ aud: "elsewhere" })];
    for (let i = 0; i < 20; i++) {
      assert.equal((await access.authenticate(bad, PEER)).refusal?.code, "unauthorized");
    }
    assert.equal((await access.authenticate(good, PEER)).refusal?.code, "unavailable");
    assert.equal((await access.authenticate(good, { address: "192.0.2.2" })).ok?.tenant, "acme");
    clock.advance(1_000);
    assert.equal((await access.authenticate(good, PEER)).ok?.tenant, "acme");
    assert.deepEqual(results(), { unauthorized: 20, unavailable: 1, ok: 2 });
  });
});
