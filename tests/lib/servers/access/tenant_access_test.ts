import assert from "node:assert/strict";
import { ConfigError } from "../../../../lib/config/problem.ts";
import type { AccessRefusal, Grant } from "../../../../lib/servers/access/access.ts";
import { OpenAccess } from "../../../../lib/servers/access/open_to_all.ts";
import type { QuotaLedger } from "../../../../lib/servers/access/quota_ledger.ts";
import { checkTenantsMode, parseTenants } from "../../../../lib/servers/access/tenants_file.ts";
import { Issuer, JWT, makeKey, PEER, tenantsText, withAccess } from "./tenants_rig.ts";

Deno.test("access: a key opens its tenant's rights, and nothing else does", async () => {
  const [key, other, revoked] = [makeKey(), makeKey(), { ...makeKey(), revoked: "2026-01-01T00:00:00Z" }];
  await withAccess({
    tenants: [
      {
        id: "acme",
        priority: 7,
        keys: [key, revoked],
        allow: [{ symbols: ["BTC*"], channels: ["bbo"] }],
        quotas: { connections: 3, bytes_per_s: 5_000 },
      },
      { id: "other", keys: [other] },
    ],
  }, async ({ access, results }) => {
    assert.ok(access.wants_token);
    const { ok } = await access.authenticate(key.key, PEER);
    assert.ok(ok);
    assert.deepEqual([ok.tenant, ok.key_id, ok.priority, ok.expires_ms], ["acme", key.id, 7, undefined]);
    assert.deepEqual(ok.limits, {
      max_connections: 3,
      max_subscriptions: 2_048,
      max_bytes_per_s: 5_000,
      max_requests_per_second: 50,
    });
    assert.equal(ok.refuses("kraken", "BTCUSD", "bbo", undefined), undefined);
    assert.match(ok.refuses("kraken", "BTCUSD", "trades", undefined)!, /not among the tenant's rights/);
    const code = async (token: string) => (await access.authenticate(token, PEER)).refusal?.code;
    assert.equal(await code(revoked.key), "revoked");
    const guess = `mdg_${revoked.id}_${"a".repeat(52)}`;
    assert.equal(await code(guess), "unauthorized", "that a key was revoked is told only to who has it");
    assert.equal(await code(makeKey().key), "unauthorized");
    assert.equal(await code(key.hash), "unauthorized");
    assert.equal(await code("a.b.c"), "unauthorized", "no JWTs where none are configured");
    assert.equal(await code("x".repeat(1_000_000)), "unauthorized");
    assert.deepEqual(results(), { ok: 1, revoked: 1, unauthorized: 5 });
  });
});

Deno.test("access: a revoked key, tenant or token ends who is connected; the others do not notice", async () => {
  const [a, b, c] = [makeKey(), makeKey(), makeKey()];
  const issuer = await Issuer.create();
  const base = [{ id: "acme", keys: [a, b] }, { id: "other", keys: [c] }];
  await withAccess({ tenants: base, jwt: JWT, files: { "jwks.json": await issuer.jwks() } }, async (rig) => {
    const { access, change } = rig;
    const grants = new Map<string, Grant>();
    for (
      const [name, token] of Object.entries({
        a: a.key,
        b: b.key,
        c: c.key,
        jwt: await issuer.sign({ jti: "t1" }),
        jwt2: await issuer.sign({ jti: "t2" }),
      })
    ) grants.set(name, (await access.authenticate(token, PEER)).ok!);
    let ended: Record<string, AccessRefusal["code"]> = {};
    let told = 0;
    const stop = access.onChange((changed) => {
      told++;
      ended = {};
      for (const [name, grant] of grants) {
        const refusal = changed(grant);
        if (refusal) ended[name] = refusal.code;
      }
    });
    const stamp = "2026-11-30T12:00:00Z";
    await change([{ id: "acme", keys: [{ ...a, revoked: stamp }, b] }, base[1]]);
    assert.deepEqual([told, ended], [1, { a: "revoked" }]);
    assert.equal((await access.authenticate(a.key, PEER)).refusal?.code, "revoked");
    await change([{ id: "acme", keys: [b] }, base[1]]);
    assert.deepEqual([told, ended], [2, { a: "revoked" }], "a key that is gone is as good as revoked");
    await change([{ ...base[0], revoked_tokens: ["t1"] }, base[1]]);
    assert.deepEqual([told, ended], [3, { jwt: "revoked" }]);
    assert.equal(
      (await access.authenticate(await issuer.sign({ jti: "t1" }), PEER)).refusal?.code,
      "revoked",
    );
    await change([{ ...base[0], revoked: stamp }, base[1]]);
    assert.deepEqual(ended, { a: "revoked", b: "revoked", jwt: "revoked", jwt2: "revoked" });
    await change([{ id: "acme", keys: [b] }, { id: "other", keys: [a, c] }]);
    assert.deepEqual(ended, { a: "revoked" }, "a key that went to another tenant");
    await change([base[1]]);
    assert.deepEqual(
      ended,
      { a: "revoked", b: "revoked", jwt: "revoked", jwt2: "revoked" },
      "a tenant that is gone",
    );
    stop();
    const before = told;
    await change(base);
    assert.equal(told, before);
  });
});

Deno.test("access: changed rights come by renew; a grant itself never changes; a note changes nothing", async () => {
  const key = makeKey();
  await withAccess({ tenants: [{ id: "acme", keys: [key], allow: [{}] }] }, async ({ access, change }) => {
    const grant = (await access.authenticate(key.key, PEER)).ok!;
    let told = 0;
    access.onChange((changed) => {
      told++;
      assert.equal(changed(grant), undefined, "narrower rights end nobody");
    });
    await change([{ id: "acme", keys: [key], allow: [{ channels: ["bbo"] }], priority: 1 }]);
    assert.equal(told, 1);
    assert.equal(grant.refuses("v", "S", "trades", undefined), undefined);
    const renewed = access.renew(grant).ok!;
    assert.notEqual(renewed.refuses("v", "S", "trades", undefined), undefined);
    assert.deepEqual([renewed.tenant, renewed.key_id, renewed.priority], ["acme", key.id, 1]);
    const noted = JSON.parse(
      tenantsText([{ id: "acme", keys: [key], allow: [{ channels: ["bbo"] }], priority: 1 }]),
    );
    noted.tenants[0].note = "new note";
    await change(JSON.stringify(noted));
    assert.equal(told, 1);
    await change([{ id: "acme", keys: [key, makeKey()], allow: [{ channels: ["bbo"] }], priority: 1 }, {
      id: "more",
    }]);
    assert.equal(told, 1, "another key and another tenant concern nobody who is there");
  });
});

Deno.test("access: a broken, emptied, opened or vanished file leaves the old tenants in force, and says so", async () => {
  const key = makeKey();
  await withAccess(
    { tenants: [{ id: "acme", keys: [key] }] },
    async ({ access, change, log, path, metrics }) => {
      const is_in = async () => (await access.authenticate(key.key, PEER)).ok !== undefined;
      const failed = () => metrics.counter("access_file_reloads_total", "", ["result"]).with("failed").value;
      let told = 0;
      access.onChange(() => told++);
      for (const text of ["", "{", "tenants: 5", '{"tenants":[{"id":"acme"}]}', "\u0000"]) {
        const before = failed();
        await change(text);
        assert.equal(failed(), before + 1, text);
        assert.match(log.lines.at(-1)!, /the old ones stay in force/);
        assert.ok(await is_in());
      }
      await change([{ id: "acme", keys: [key] }, { id: "acme" }]);
      assert.match(log.lines.at(-1)!, /there twice/);
      await Deno.remove(path);
      await access.reload();
      assert.match(log.lines.at(-1)!, /no such file/);
      const lines = log.lines.length;
      await access.reload();
      assert.equal(log.lines.length, lines, "said once");
      assert.ok(await is_in());
      await change([{ id: "acme", keys: [key], priority: 9 }]);
      assert.equal((await access.authenticate(key.key, PEER)).ok!.priority, 9, "and then it goes on");
      assert.equal(told, 1);
      if (Deno.build.os !== "windows") {
        await Deno.writeTextFile(path, tenantsText([]));
        await Deno.chmod(path, 0o666);
        await access.reload();
        assert.match(log.lines.at(-1)!, /anybody may write it/);
        assert.ok(await is_in());
      }
    },
  );
});

Deno.test("access: the file is looked at by itself", async () => {
  const key = makeKey();
  await withAccess({ tenants: [{ id: "acme", keys: [key] }] }, async ({ access, clock, path }) => {
    const changed = Promise.withResolvers<void>();
    access.onChange(() => changed.resolve());
    await Deno.writeTextFile(path, tenantsText([]));
    clock.advance(1_000);
    await changed.promise;
    assert.equal((await access.authenticate(key.key, PEER)).refusal?.code, "unauthorized");
  });
});

Deno.test("access: places of a tenant are counted, freed once, and shared by its keys", async () => {
  const [a, b] = [makeKey(), makeKey()];
  const quotas = { connections: 2 };
  await withAccess(
    { tenants: [{ id: "acme", keys: [a, b], quotas }, { id: "other" }] },
    async ({ access }) => {
      const grant = (await access.authenticate(a.key, PEER)).ok!;
      const second = (await access.authenticate(b.key, PEER)).ok!;
      const lease = (await access.admit(grant)).ok!;
      assert.ok((await access.admit(second)).ok);
      assert.equal((await access.admit(grant)).refusal?.code, "too_many_connections");
      lease.release();
      lease.release();
      lease.release();
      assert.ok((await access.admit(grant)).ok);
      assert.equal((await access.admit(grant)).refusal?.code, "too_many_connections");
    },
  );
});

Deno.test("access: bytes of a tenant are one bucket for all of its connections", async () => {
  const key = makeKey();
  const quotas = { bytes_per_s: 10_000 };
  await withAccess({ tenants: [{ id: "acme", keys: [key], quotas }] }, async ({ access, clock }) => {
    const grant = (await access.authenticate(key.key, PEER)).ok!;
    const [one, two] = [(await access.admit(grant)).ok!, (await access.admit(grant)).ok!];
    assert.ok(one.takeBytes(6_000));
    assert.ok(!two.takeBytes(6_000));
    clock.advance(two.retry_after_ms());
    assert.ok(!two.takeBytes(6_000));
    clock.advance(two.retry_after_ms());
    assert.ok(two.takeBytes(6_000), "200 ms give what was missing");
    let sent = 0;
    for (let ms = 0; ms < 60_000; ms += 10) {
      clock.advance(10);
      for (const lease of [one, two]) while (lease.takeBytes(100)) sent += 100;
    }
    assert.equal(sent, 600_000);
  });
});

Deno.test("access: to come again does not pay for what was sent", async () => {
  const key = makeKey();
  const quotas = { bytes_per_s: 10_000 };
  await withAccess({ tenants: [{ id: "acme", keys: [key], quotas }] }, async ({ access, clock }) => {
    const grant = (await access.authenticate(key.key, PEER)).ok!;
    const first = (await access.admit(grant)).ok!;
    assert.ok(first.takeBytes(100_000), "a large one passes");
    first.release();
    const second = (await access.admit(grant)).ok!;
    let waited_ms = 0;
    while (!second.takeBytes(1)) {
      const pause_ms = second.retry_after_ms();
      waited_ms += pause_ms;
      clock.advance(pause_ms);
    }
    assert.ok(waited_ms >= 9_000 && waited_ms <= 9_200, `${waited_ms}`);
  });
});

Deno.test("access: a ledger that does not answer refuses within the deadline, and a late place goes back", async () => {
  const key = makeKey();
  const answer = Promise.withResolvers<boolean>();
  const released = Promise.withResolvers<string>();
  const ledger: QuotaLedger = {
    acquire: () => answer.promise,
    release: released.resolve,
    draw: () => Promise.reject(new Error("gone")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await withAccess({ tenants: [{ id: "acme", keys: [key] }], ledger }, async ({ access, clock }) => {
    const grant = (await access.authenticate(key.key, PEER)).ok!;
    const verdict = access.admit(grant);
    clock.advance(5_000);
    assert.equal((await verdict).refusal?.code, "unavailable");
    answer.resolve(true);
    assert.equal(await released.promise, "acme");
  });
});

Deno.test("access: open to all asks for nothing", async () => {
  await using access = new OpenAccess({ max_subscriptions: 5 });
  assert.ok(!access.wants_token);
  const { ok } = await access.authenticate();
  assert.equal(ok!.refuses("v", "S", "book", undefined), undefined);
  assert.equal(ok!.limits.max_subscriptions, 5);
  assert.ok((await access.admit()).ok!.takeBytes(1e12));
});

Deno.test("tenants file: YAML and JSON5 alike; every problem at once with its line; unknown keys refused", () => {
  const { hash, id } = makeKey();
  const yaml = parseTenants(
    "t.yaml",
    `tenants:\n  - id: acme\n    allow: [{symbols: [BTC*]}]\n    keys: [{id: ${id}, hash: "${hash}"}]\n`,
  );
  const json5 = parseTenants(
    "t.json5",
    `{tenants: [{id: 'acme', /* x */ allow: [{symbols: ['BTC*']}], keys: [{id: '${id}', hash: '${hash}'}]}]}`,
  );
  assert.deepEqual(yaml, json5);
  assert.deepEqual(yaml.tenants[0].quotas, {
    connections: 100,
    subscriptions: 2_048,
    bytes_per_s: 16_777_216,
    requests_per_s: 50,
  });
  assert.throws(
    () =>
      parseTenants(
        "t.yaml",
        `tenants:\n  - id: "a b"\n    allow: [{chanels: [book]}]\n    priority: 10\n    keys: [{id: X, hash: md5:1}]\n`,
      ),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /t\.yaml:2:9: tenants\[0\]\.id/);
      assert.match(error.message, /t\.yaml:3:14: .*did you mean "channels"/);
      assert.match(error.message, /t\.yaml:4:15: /);
      assert.match(error.message, /keys\[0\]\.hash/);
      return true;
    },
  );
  assert.throws(
    () => parseTenants("t.yaml", "tenants: [{id: acme}]"),
    /allow/,
    "rights are said, not assumed",
  );
  assert.throws(() => parseTenants("t.toml", ""), /want \.yaml/);
});

Deno.test("tenants file: one that anybody may write is refused", async () => {
  if (Deno.build.os === "windows") return;
  const path = await Deno.makeTempFile();
  try {
    await Deno.chmod(path, 0o602);
    await assert.rejects(checkTenantsMode(path), /anybody may write it, want mode 0600/);
    await Deno.chmod(path, 0o600);
    await checkTenantsMode(path);
  } finally {
    await Deno.remove(path);
  }
});
