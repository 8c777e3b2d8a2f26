import assert from "node:assert/strict";
import { isSecretKey, redact, redactText } from "../../../lib/base/redact.ts";

Deno.test("secret keys by their words", () => {
  for (
    const key of [
      "password",
      "redis_password",
      "apiToken",
      "PRIVATE-KEY",
      "client.secret",
      "api_key",
      "apikey",
    ]
  ) {
    assert.equal(isSecretKey(key), true, key);
  }
  for (const key of ["tokenizer", "symbol", "key", "keyboard", "secretary", "passage"]) {
    assert.equal(isSecretKey(key), false, key);
  }
});

Deno.test("URLs lose userinfo and secret parameters, nothing else", () => {
  const table: [string, string][] = [
    ["redis://:hunter2@h:6379/0", "redis://***@h:6379/0"],
    ["amqp://u:p@ss@h/v", "amqp://***@h/v"],
    ["two postgres://a:b@c and wss://d:e@f/g", "two postgres://***@c and wss://***@f/g"],
    ["wss://h/ws?token=abc&symbol=x", "wss://h/ws?token=***&symbol=x"],
    ["https://h/path/a@b", "https://h/path/a@b"],
    ["mail a@b", "mail a@b"],
  ];
  for (const [text, wanted] of table) assert.equal(redactText(text), wanted);
});

Deno.test("nested values, errors, bytes", () => {
  assert.deepEqual(
    redact({
      redis: { url: "redis://u:p@h", password: "p", tokens: 3, token: 4 },
      list: [{ secret: ["a"] }],
      error: new Error("connect redis://u:p@h: refused"),
      id: 12345678901234567890n,
      bytes: new Uint8Array(3),
      absent: undefined,
      password: undefined,
    }),
    {
      redis: { url: "redis://***@h", password: "***", tokens: 3, token: "***" },
      list: [{ secret: "***" }],
      error: "connect redis://***@h: refused",
      id: "12345678901234567890",
      bytes: "[3 bytes]",
      absent: undefined,
      password: undefined,
    },
  );
});

Deno.test("hostile values are cut: deep, wide, long, circular", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]));
  const text = JSON.stringify(
    redact({ circle, wide, long: "x".repeat(1_000_000), list: new Array(10_000).fill(1) }),
  );
  assert.ok(text.length < 10_000, `${text.length} characters`);
});
