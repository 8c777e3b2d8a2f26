/**
 * Redis: the one on port 6379 when it answers PING without a password, else a private one without persistence.
 */
import { freePort, startDaemon } from "./daemon.ts";
import type { ServiceKind } from "./service.ts";

export const redis: ServiceKind = {
  name: "redis",
  env: "MDG_TEST_REDIS_URL",
  program: "redis-server",
  debian_package: "redis-server",
  async existing() {
    return await answersPing(6379) ? "redis://127.0.0.1:6379" : undefined;
  },
  async start(program, clock) {
    const port = freePort();
    const folder = await Deno.makeTempDir({ prefix: "mdg-redis-" });
    const args = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      folder,
    ];
    const stop = await startDaemon({ program, args, folder, clock, isReady: () => answersPing(port) });
    return { address: `redis://127.0.0.1:${port}`, stop };
  },
};

async function answersPing(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("PING\r\n"));
    const answer = new Uint8Array(16);
    const count = await connection.read(answer);
    return new TextDecoder().decode(answer.subarray(0, count ?? 0)).startsWith("+PONG");
  } catch {
    return false;
  }
}
