/** Handshakes with real servers on loopback: each kind, each way to fail, nothing left open. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { systemClock } from "../../../../lib/base/clock.ts";
import { shakeHands } from "../../../../lib/monitors/net/handshake.ts";
import { readSockDiag } from "../../../../lib/os/sock_diag.ts";
import { readTarget } from "../../../../lib/monitors/net/target.ts";
import { warmUp } from "../../../../lib/monitors/net/warm_up.ts";
import { makeCertificate } from "../../../certificate.ts";
import { nativeTest } from "../../../native.ts";
import { serviceAddress, testUnless } from "../../../services.ts";

const never = new AbortController().signal;
const TIMEOUT_MS = 5_000;

function shake(address: string, options: { timeout_ms?: number; ca?: string; signal?: AbortSignal } = {}) {
  const { timeout_ms = TIMEOUT_MS, ca, signal = never } = options;
  return shakeHands(readTarget(address), { clock: systemClock, timeout_ms, ca, signal });
}

Deno.test("TCP: the step and the whole", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { address, name_ms, tcp_ms, tls_ms, websocket_ms, total_ms } = await shake(
    `127.0.0.1:${listener.addr.port}`,
  );
  (await accepted).close();
  assert.equal(address, "127.0.0.1");
  assert.ok(tcp_ms! > 0 && total_ms >= tcp_ms!);
  assert.deepEqual([name_ms, tls_ms, websocket_ms], [undefined, undefined, undefined]);
  const again = listener.accept();
  const named = await shake(`localhost:${listener.addr.port}`);
  (await again).close();
  assert.ok(named.name_ms !== undefined && named.total_ms >= named.name_ms);
});

Deno.test("WebSocket: what is no upgrade is no success", async () => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  const closed = Promise.withResolvers<number>();
  server.on("upgrade", (request, socket, head) => {
    if (request.url === "/hangup") return socket.destroy();
    if (request.url === "/forbidden") return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    if (request.url === "/liar") {
      return socket.end("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: no\r\n\r\n");
    }
    sockets.handleUpgrade(request, socket, head, (client) => client.on("close", closed.resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const done = await shake(`ws://127.0.0.1:${port}/ok?x=1`);
  assert.ok(done.websocket_ms! > 0 && done.total_ms >= done.websocket_ms! + done.tcp_ms!);
  assert.equal(await closed.promise, 1_000);
  await assert.rejects(shake(`ws://127.0.0.1:${port}/liar`), /wrong Sec-WebSocket-Accept/);
  await assert.rejects(shake(`ws://127.0.0.1:${port}/hangup`), /closed|connection reset/);
  await assert.rejects(shake(`ws://127.0.0.1:${port}/forbidden`), /status 403, want 101/);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("refused, silent, given up, unknown: in few words", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  // Accepted by the kernel, never answered by a program.
  await assert.rejects(shake(`ws://127.0.0.1:${port}`, { timeout_ms: 100 }), { message: "no answer" });
  await assert.rejects(shake(`tls://127.0.0.1:${port}`, { timeout_ms: 100 }), { message: "no answer" });
  const stop = new AbortController();
  const stopped = shake(`tls://127.0.0.1:${port}`, { signal: stop.signal });
  stop.abort();
  await assert.rejects(stopped, { message: "given up" });
  listener.close();
  await assert.rejects(shake(`127.0.0.1:${port}`), { message: "connection refused" });
  await assert.rejects(shake("no-such-host.invalid:80"), { message: "no such name" });
});

const openssl = serviceAddress("openssl");
testUnless("missing" in openssl ? openssl.missing : undefined, "TLS: the certificate must fit", async () => {
  if (!("address" in openssl)) return;
  const folder = await Deno.makeTempDir();
  const ca = await makeCertificate(openssl.address, folder);
  const key = await Deno.readTextFile(`${folder}/key.pem`);
  const server = createSecureServer({ cert: ca, key }, (_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { tcp_ms, tls_ms, total_ms } = await shake(`tls://localhost:${port}`, { ca });
  assert.ok(tls_ms! > 0 && total_ms >= tcp_ms! + tls_ms!);
  await assert.rejects(shake(`tls://localhost:${port}`), /certificate|self.signed|UnknownIssuer/i);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("warming up ends by itself and bothers nobody", async () => {
  const targets = ["10.255.255.1:9", "tls://10.255.255.1", "ws://10.255.255.1", "wss://10.255.255.1"].map(
    readTarget,
  );
  await warmUp(targets, systemClock, never);
});

/** A port that drops what asks for it: its backlog is full and its program accepts nobody. */
nativeTest("a silent port: no answer, and no half-open connection stays behind", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const waiting = [await Deno.connect({ port }), await Deno.connect({ port })];
  await assert.rejects(shake(`127.0.0.1:${port}`, { timeout_ms: 200 }), { message: "no answer" });
  const { sockets } = await readSockDiag();
  const half_open = sockets.filter((one) => one.remote_port === port && one.state === "syn-sent");
  assert.deepEqual(half_open, []);
  for (const one of waiting) one.close();
  listener.close();
});
