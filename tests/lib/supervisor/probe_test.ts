/** The questions to a program, over loopback: good and bad answers, and none at all. */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { probe } from "../../../lib/supervisor/probe.ts";

const LIMIT_MS = 5_000;
const ask = (target: Parameters<typeof probe>[0], limit_ms = LIMIT_MS) =>
  probe(target, limit_ms, systemClock);

/** Answers each connection with this text; absent: with nothing. */
function serve(text: string | undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const asked: string[] = [];
  const held: Deno.Conn[] = [];
  const done = (async () => {
    for await (const connection of listener) {
      held.push(connection);
      if (text === undefined) continue;
      const buffer = new Uint8Array(4_096);
      const count = await connection.read(buffer);
      asked.push(new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
      await connection.write(new TextEncoder().encode(text));
    }
  })();
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done;
      for (const connection of held) connection.close();
    },
  };
}

Deno.test("2xx is well, anything else is told", async () => {
  for (
    const [answer, fault] of [
      ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", undefined],
      ["HTTP/1.1 204 No Content\r\n\r\n", undefined],
      ["HTTP/1.1 503 Service Unavailable\r\n\r\n", /answered 503/],
      ["HTTP/1.1 301 Moved\r\nlocation: /\r\n\r\n", /answered 301/],
      ["SSH-2.0-OpenSSH\r\n", /answered no HTTP/],
    ] as const
  ) {
    await using server = serve(answer);
    const said = await ask({ http: `http://127.0.0.1:${server.port}/ready?x=1` });
    if (fault === undefined) assert.equal(said, undefined);
    else assert.match(said!, fault);
    assert.match(server.asked[0], /^GET \/ready\?x=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  }
});

Deno.test("no answer within the time, and nobody there", async () => {
  await using server = serve(undefined);
  assert.match((await ask({ http: `http://127.0.0.1:${server.port}/` }, 50))!, /no answer within 50 ms/);
  assert.equal(await ask({ port: server.port }), undefined);
  assert.match((await ask({ port: 1 }))!, /refused/i);
  assert.match((await ask({ http: "http://127.0.0.1:1/" }))!, /GET http:\/\/127\.0\.0\.1:1\/: .*refused/i);
});
