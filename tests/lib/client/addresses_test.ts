/** Which server comes next, and when. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { Addresses, returnAfter } from "../../../lib/client/addresses.ts";

const made = (count: number) =>
  new Addresses(
    Array.from({ length: count }, (_, i) => `ws://${i}`),
    { first_ms: 100, max_ms: 1_600 },
    new Random("a"),
  );
const LOST = { reason: "lost" };

Deno.test("the next server comes soon, a whole round in vain backs off, a healthy connection forgets it", () => {
  const addresses = made(3);
  const seen: string[] = [];
  const delays: number[] = [];
  for (let i = 0; i < 12; i++) {
    delays.push(addresses.failed(LOST, 0, false)!);
    seen.push(addresses.url);
  }
  assert.deepEqual(seen.slice(0, 4), ["ws://1", "ws://2", "ws://0", "ws://1"]);
  const rounds = [delays[2], delays[5], delays[8], delays[11]];
  for (const [i, delay] of rounds.entries()) {
    const step = Math.min(1_600, 100 * 2 ** i);
    assert.ok(delay >= step / 2 && delay <= step, `round ${i}: ${delay}`);
  }
  for (const at of [0, 1, 3, 4, 6]) assert.ok(delays[at] >= 50 && delays[at] <= 100);
  addresses.healthy();
  assert.ok(addresses.failed(LOST, 0, false)! <= 100);
});

Deno.test("a server that said when is not tried before, another is", () => {
  const addresses = made(2);
  assert.ok(addresses.failed({ ...LOST, close_code: 1001, retry_after_ms: 9_000 }, 0, false)! <= 100);
  assert.equal(addresses.url, "ws://1");
  assert.ok(addresses.failed(LOST, 10, false)! <= 100);
  assert.equal(addresses.url, "ws://1", "the other one asked for nine seconds");
  const delay = addresses.failed({ ...LOST, retry_after_ms: 60_000 }, 20, false)!;
  assert.equal(addresses.url, "ws://0");
  assert.ok(delay > 8_980 && delay < 12_000, `${delay}`);
});

Deno.test("never means never, for that server; another token makes it late", () => {
  const addresses = made(2);
  assert.notEqual(addresses.failed({ ...LOST, close_code: 4503 }, 0, false), undefined);
  assert.equal(addresses.url, "ws://1");
  assert.equal(addresses.failed({ ...LOST, status: 401 }, 0, false), undefined);
  const renewing = made(1);
  assert.ok(renewing.failed({ ...LOST, close_code: 4502 }, 0, true)! >= 1_600);
});

Deno.test("what each ending says about coming back", () => {
  const said = (ending: { close_code?: number; status?: number }) => returnAfter({ ...LOST, ...ending });
  assert.equal(said({}), "soon");
  for (const code of [1000, 1001, 1006, 1011, 4008, 4009, 4010, 4499]) {
    assert.equal(said({ close_code: code }), "soon");
  }
  for (const code of [1002, 1003, 1007, 1008, 1009, 4504]) assert.equal(said({ close_code: code }), "late");
  for (const code of [4500, 4501, 4502, 4503, 4505, 4999]) assert.equal(said({ close_code: code }), "never");
  assert.deepEqual([400, 404, 503, 500].map((status) => said({ status })), ["late", "late", "soon", "soon"]);
  assert.deepEqual([401, 403].map((status) => said({ status })), ["never", "never"]);
});
