/** Addresses as people type them. */
import assert from "node:assert/strict";
import { UserError } from "../../../../lib/base/errors.ts";
import { readTarget } from "../../../../lib/monitors/net/target.ts";

Deno.test("kinds, ports and paths", () => {
  const read = (text: string) => {
    const { kind, has_tls, host, port, path } = readTarget(text);
    return [kind, has_tls, host, port, path];
  };
  assert.deepEqual(read("db.example:5432"), ["tcp", false, "db.example", 5432, ""]);
  assert.deepEqual(read("tcp://10.0.0.1:80"), ["tcp", false, "10.0.0.1", 80, ""]);
  assert.deepEqual(read("[::1]:9000"), ["tcp", false, "::1", 9000, ""]);
  assert.deepEqual(read("tls://example.com"), ["tls", true, "example.com", 443, ""]);
  assert.deepEqual(read("tls://example.com:853"), ["tls", true, "example.com", 853, ""]);
  assert.deepEqual(read("ws://localhost:8080/a/b?c=d"), ["ws", false, "localhost", 8080, "/a/b?c=d"]);
  assert.deepEqual(read("wss://stream.example.com/ws"), ["ws", true, "stream.example.com", 443, "/ws"]);
  assert.deepEqual(read("ws://localhost"), ["ws", false, "localhost", 80, "/"]);
});

Deno.test("what is no address is refused with what is wanted; credentials are not repeated", () => {
  for (
    const [text, why] of [
      ["", "no host"],
      ["example.com", "no port"],
      ["tcp://example.com", "no port"],
      ["http://example.com", 'unknown kind "http"'],
      ["example.com:80/path", "a path where none belongs"],
      ["wss://me:hunter22@example.com", "credentials in an address"],
      ["ws://", "no address"],
      ["a:99999", "no address"],
      ["a:0", "no port"],
    ]
  ) {
    assert.throws(() => readTarget(text), (error: unknown) => {
      assert.ok(error instanceof UserError && error.code === 2, text);
      assert.ok(error.message.includes(why), `${text}: ${error.message}`);
      assert.ok(!error.message.includes("hunter22"));
      return true;
    });
  }
});
