import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { findProgram } from "../../scripts/debian.ts";
import { startDaemon } from "../../scripts/services/daemon.ts";
import * as services from "../../scripts/services/registry.ts";
import { redis } from "../../scripts/services/redis.ts";
import { testUnless } from "../services.ts";

const redis_server = await findProgram(redis.program);

testUnless(
  redis_server ? undefined : "no redis-server",
  "a private Redis answers, and is gone when stopped",
  async () => {
    const running = await redis.start(redis_server!, systemClock);
    const { hostname, port } = new URL(running.address);
    const connect = () => Deno.connect({ hostname, port: Number(port) });
    try {
      assert.notEqual(port, "6379");
      (await connect()).close();
    } finally {
      await running.stop();
    }
    await assert.rejects(connect(), Deno.errors.ConnectionRefused);
  },
);

Deno.test("a daemon that ends at once is an error and leaves no folder", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mdg-daemon-" });
  await assert.rejects(
    startDaemon({
      program: Deno.execPath(),
      args: ["--version"],
      folder,
      clock: systemClock,
      isReady: () => Promise.resolve(false),
    }),
    /it ended at once/,
  );
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
});

Deno.test("services have names and variables of their own", () => {
  const kinds = Object.entries(services);
  assert.equal(new Set(kinds.map(([, { env }]) => env)).size, kinds.length);
  for (const [name, kind] of kinds) {
    assert.equal(kind.name, name);
    assert.match(kind.env, /^MDG_TEST_[A-Z_]+$/);
  }
});
