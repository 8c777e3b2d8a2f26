/** A new user's path on a fresh clone of what is committed here: prices, a look, a green test run, nothing left behind. */
import assert from "node:assert/strict";
import { freePort } from "../../scripts/services/daemon.ts";
import { path } from "../mdg_process.ts";
import { testUnless } from "../services.ts";

const missing = Deno.build.os === "windows"
  ? "no bash"
  : await Deno.stat(path(".git")).then(() => undefined, () => "not a clone of git");

testUnless(missing, "scripts/first_steps.sh: from a clone to prices and green tests", async () => {
  const port = freePort();
  const { code, stdout, stderr } = await new Deno.Command(path("scripts/first_steps.sh"), {
    args: ["tests/lib/base"],
    env: { FIRST_STEPS_PORT: String(port) },
  }).output();
  const [text, talk] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, text + talk);
  const prices = text.match(/^BTCUSD \S+ x \S+ \| \S+ x \S+$/gm) ?? [];
  assert.equal(prices.length, 5, text);
  assert.match(text, /^\d+ passed, 0 failed, \d+ skipped$/m);
  assert.equal(text.match(/^ +[\d.]+ s +[\d.]+ s {2}/gm)?.length, 6, text);
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

testUnless(
  missing,
  "scripts/first_steps.sh: a port that is taken is told before anything is done",
  async () => {
    await using taken = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response());
    const { code, stderr } = await new Deno.Command(path("scripts/first_steps.sh"), {
      env: { FIRST_STEPS_PORT: String(taken.addr.port - 1) },
    }).output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), /taken, want another FIRST_STEPS_PORT/);
  },
);
