import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AccessRig, Issuer, JWT, NOW_MS, PEER, withAccess } from "./tenants_rig.ts";

const issuer = await Issuer.create();
const KEYS = await issuer.jwks();

/** An issuer's web server and an access that asks it. */
async function withUrl(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  body: (rig: AccessRig, asked: () => number) => Promise<void>,
): Promise<void> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const jwt = { ...JWT, jwks_file: undefined, jwks_url: `http://127.0.0.1:${port}/jwks` };
    await withAccess({ tenants: [{ id: "acme" }], jwt }, (rig) => body(rig, () => asked));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const codeOf = async ({ access }: AccessRig, token: string, address = PEER.address) =>
  (await access.authenticate(token, { address })).refusal?.code ?? "ok";

Deno.test("jwks url: asked once, kept, asked again when old, and good keys outlive an issuer that is away", async () => {
  let is_up = true;
  await withUrl((response) => {
    if (is_up) response.end(KEYS);
    else response.writeHead(500).end("down");
  }, async (rig, asked) => {
    const token = await issuer.sign({ exp: NOW_MS / 1000 + 1e6 });
    for (let i = 0; i < 5; i++) assert.equal(await codeOf(rig, token), "ok");
    assert.equal(asked(), 1);
    rig.clock.advance(600_001);
    await Promise.all(Array.from({ length: 20 }, () => codeOf(rig, token)));
    assert.equal(asked(), 2, "twenty at once are one question");
    is_up = false;
    rig.clock.advance(600_001);
    assert.equal(await codeOf(rig, token), "ok");
    assert.equal(await codeOf(rig, token), "ok");
    assert.equal(asked(), 3, "and after a failure there is a pause");
    rig.clock.advance(86_400_001);
    assert.equal(await codeOf(rig, token), "unavailable", "a day is enough");
  });
});

Deno.test("jwks url: a thousand tokens with unknown kids cost one question per half minute", async () => {
  await withUrl((response) => response.end(KEYS), async (rig, asked) => {
    assert.equal(await codeOf(rig, await issuer.sign()), "ok");
    for (let i = 0; i < 1_000; i++) {
      assert.equal(
        await codeOf(rig, await issuer.sign({}, { kid: `kid-${i}` }), `10.0.${i >> 8}.${i & 255}`),
        "unauthorized",
      );
    }
    assert.equal(asked(), 1);
    rig.clock.advance(30_001);
    for (let i = 0; i < 100; i++) {
      assert.equal(
        await codeOf(rig, await issuer.sign({}, { kid: `more-${i}` }), `10.1.${i >> 8}.${i & 255}`),
        "unauthorized",
      );
    }
    assert.equal(asked(), 2);
  });
});

Deno.test("jwks url: a new key of the issuer is found, at the latest half a minute after the last question", async () => {
  const next = await Issuer.create("key-2");
  let text = KEYS;
  await withUrl((response) => response.end(text), async (rig) => {
    assert.equal(await codeOf(rig, await issuer.sign()), "ok");
    text = JSON.stringify({ keys: [await issuer.jwk(), await next.jwk()] });
    rig.clock.advance(30_001);
    assert.equal(await codeOf(rig, await next.sign({ exp: NOW_MS / 1000 + 600 })), "ok");
  });
});

Deno.test("jwks url: one that never answers is given up; nobody waits for ever", async () => {
  const reached = Promise.withResolvers<void>();
  await withUrl(() => reached.resolve(), async (rig) => {
    const verdict = rig.access.authenticate(await issuer.sign(), PEER);
    await reached.promise;
    rig.clock.advance(4_000);
    assert.equal((await verdict).refusal?.code, "unavailable");
    assert.match(rig.log.lines.join("\n"), /no answer within 4000 ms/);
  });
});

Deno.test("jwks url: one that drips is given up as well", async () => {
  const dripping = Promise.withResolvers<void>();
  await withUrl((response) => {
    response.writeHead(200);
    response.write('{"keys":[', () => dripping.resolve());
  }, async (rig) => {
    const verdict = rig.access.authenticate(await issuer.sign(), PEER);
    await dripping.promise;
    rig.clock.advance(4_000);
    assert.equal((await verdict).refusal?.code, "unavailable");
  });
});

for (
  const [name, answer, said] of [
    [
      "a huge answer",
      (response) => response.end(`{"keys":[]${" ".repeat(300_000)}}`),
      /larger than 262144 bytes/,
    ],
    ["an endless answer", (response) => {
      response.on("error", () => {});
      // without an end, and far more than is read of it
      for (let i = 0; i < 32; i++) response.write("x".repeat(65_536));
    }, /larger than 262144 bytes/],
    [
      "a redirect",
      (response) => response.writeHead(302, { location: "http://127.0.0.1:1/jwks" }).end(),
      /redirects are not followed/,
    ],
    ["no JSON", (response) => response.end("<html>"), /no JSON/],
    ["no keys", (response) => response.end('{"keys":[]}'), /0 keys, want 1 to 100/],
    ["many keys", (response) => response.end(JSON.stringify({ keys: Array(101).fill({}) })), /101 keys/],
    ["private keys", (response) => response.end('{"keys":[{"kty":"EC","d":"x"}]}'), /private or shared keys/],
    ["shared keys", (response) => response.end('{"keys":[{"kty":"oct","k":"x"}]}'), /private or shared keys/],
    ["keys that are none", (response) => response.end('{"keys":[1]}'), /want a JWK set/],
  ] as [string, (response: ServerResponse) => void, RegExp][]
) {
  Deno.test(`jwks url: ${name} is refused, and said`, async () => {
    await withUrl(answer, async (rig, asked) => {
      assert.equal(await codeOf(rig, await issuer.sign()), "unavailable");
      assert.equal(await codeOf(rig, await issuer.sign()), "unavailable");
      assert.equal(asked(), 1);
      assert.match(rig.log.lines.join("\n"), said);
    });
  });
}

Deno.test("jwks file: keys are replaced when it changes; a broken one leaves the old in force", async () => {
  const next = await Issuer.create("key-2");
  await withAccess({ tenants: [{ id: "acme" }], jwt: JWT, files: { "jwks.json": KEYS } }, async (rig) => {
    const write = async (text: string) => {
      await Deno.writeTextFile(rig.path.replace("tenants.json", "jwks.json"), text);
      await rig.access.reload();
    };
    assert.equal(await codeOf(rig, await next.sign()), "unauthorized");
    await write("{");
    assert.equal(await codeOf(rig, await issuer.sign()), "ok");
    assert.match(rig.log.lines.at(-1)!, /the old ones stay in force/);
    await write(await next.jwks());
    assert.equal(await codeOf(rig, await next.sign()), "ok");
    assert.equal(await codeOf(rig, await issuer.sign()), "unauthorized");
  });
});
