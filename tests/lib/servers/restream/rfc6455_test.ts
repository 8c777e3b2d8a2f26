/**
 * RFC 6455 from raw sockets, section by section, against both kinds of server, in one thread and with Workers. The
 * client of this suite is written from the RFC alone (tests/raw_websocket.ts).
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { restream } from "../../../../lib/servers/restream/restream.ts";
import type { Server } from "../../../../lib/servers/server.ts";
import { websocket } from "../../../../lib/servers/restream/websocket.ts";
import { FakeHub } from "../fake_hub.ts";
import { frame, TEXT, writeAll } from "../../../raw_websocket.ts";
import { peerAt, type Rfc6455Case } from "./rfc6455/case.ts";
import { CLOSE_CASES } from "./rfc6455/close_cases.ts";
import { FRAME_CASES } from "./rfc6455/frame_cases.ts";
import { HANDSHAKE_CASES } from "./rfc6455/handshake_cases.ts";

const CASES: readonly Rfc6455Case[] = [...HANDSHAKE_CASES, ...FRAME_CASES, ...CLOSE_CASES];
const GENEROUS = { max_requests_per_second: 10_000, heartbeat_ms: 300_000, max_lag_ms: 300_000 };
const MANY = {
  access: "open" as const,
  max_connections_per_address: 1_000,
  accepts_per_second_per_address: 10_000,
};

const SERVERS: Record<string, (hub: FakeHub) => Promise<Server>> = {
  "websocket": (hub) => websocket.open(websocket.schema.parse({ listen: "127.0.0.1:0", ...GENEROUS }), hub),
  "restream": (hub) =>
    restream.open(restream.schema.parse({ listen: "127.0.0.1:0", ...GENEROUS, ...MANY }), hub),
  "restream with Workers": (hub) =>
    restream.open(
      restream.schema.parse({ listen: "127.0.0.1:0", ...GENEROUS, ...MANY, edge: { workers: 2 } }),
      hub,
    ),
};

for (const [name, open] of Object.entries(SERVERS)) {
  Deno.test(`RFC 6455, ${name}: ${CASES.length} cases`, async (test) => {
    const hub = new FakeHub(systemClock);
    // Large enough that a whole book takes a 64-bit length.
    const levels = Array.from({ length: 5_000 }, (_, i) => [i + 1, 123_456.789] as const);
    hub.sync("AAA", levels, [[10_000, 1]]);
    const server = await open(hub);
    try {
      for (const { section, says, run } of CASES) {
        await test.step(`§${section} ${says}`, () => run(peerAt(server.address)));
      }
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
}

Deno.test("RFC 6455: canary, cases fail at a server that keeps no rules", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  // Says 101 to everything, greets, answers nothing and never fails anybody.
  const serving = (async () => {
    for await (const conn of listener) {
      const greeting = '{"type":"hello"}';
      const head = "HTTP/1.1 101 Yes\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
      await conn.read(new Uint8Array(4_096));
      await writeAll(conn, new TextEncoder().encode(head));
      await writeAll(conn, frame(TEXT, greeting, { mask: false }));
      await conn.read(new Uint8Array(4_096));
      conn.close();
    }
  })();
  const failing = CASES.filter(({ says }) =>
    !/let go|early|along with|any case|one of the subprotocols/.test(says)
  );
  for (const { section, says, run } of failing) {
    await assert.rejects(() => run(peerAt(`127.0.0.1:${port}`)), Error, `§${section} ${says}: passed`);
  }
  listener.close();
  await serving;
});
