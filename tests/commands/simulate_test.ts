/** `mdg simulate` as its users start it: ready line, wss with a certificate of its own, Ctrl-C. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { runMdg, spawnMdg } from "../mdg_process.ts";
import { makeCertificate } from "../certificate.ts";
import { serviceTest } from "../services.ts";

async function untilReady(child: Deno.ChildProcess): Promise<Record<string, unknown>> {
  let text = "";
  for await (
    const part of child.stdout.pipeThrough(new TextDecoderStream()).values({ preventCancel: true })
  ) {
    text += part;
    if (text.includes("\n")) break;
  }
  return JSON.parse(text.split("\n")[0]);
}

async function withSimulate(
  args: readonly string[],
  cwd: string | undefined,
  work: (ready: Record<string, unknown>, child: Deno.ChildProcess) => Promise<void>,
): Promise<number> {
  const child = spawnMdg({ args: ["simulate", "--addr", "127.0.0.1:0", ...args], cwd });
  await child.stdin.close();
  try {
    await work(await untilReady(child), child);
  } finally {
    child.kill("SIGINT");
  }
  const [{ code }] = await Promise.all([child.status, child.stderr.pipeTo(new WritableStream())]);
  return code;
}

Deno.test("symbols in every spelling, a seed that is told, 1001 and exit 130 on Ctrl-C", async () => {
  let closed: Promise<unknown[]> | undefined;
  const args = ["--symbols", "BTCUSD,ETHUSD", "--symbols", "ADAUSD", "DOGEUSD"];
  const code = await withSimulate(args, undefined, async (ready) => {
    assert.deepEqual(ready.symbols, ["BTCUSD", "ETHUSD", "ADAUSD", "DOGEUSD"]);
    assert.ok(typeof ready.seed === "string" && ready.seed.length > 0);
    const ws = new WebSocket(ready.url as string);
    await once(ws, "open");
    ws.send('{"type":"Subscribe","stream_id":"1","symbol":"DOGEUSD","data_type":"MBP","max_levels":20}');
    const [first] = await once(ws, "message");
    assert.equal(JSON.parse(String(first)).type, "Subscribed");
    closed = once(ws, "close");
  });
  assert.equal((await closed!)[0], 1001);
  assert.equal(code, 130);
});

serviceTest(
  "openssl",
  "--tls-cert and --tls-key serve wss; who does not speak TLS is let go",
  async (openssl) => {
    const cwd = await Deno.makeTempDir({ prefix: "mdg-simulate-" });
    try {
      const cert = await makeCertificate(openssl, cwd);
      await withSimulate(["--tls-cert", "cert.pem", "--tls-key", "key.pem"], cwd, async (ready) => {
        assert.match(String(ready.url), /^wss:/);
        const plain = new WebSocket(String(ready.url).replace("wss", "ws"));
        await once(plain, "error");
        const ws = new WebSocket(String(ready.url), { ca: cert });
        await once(ws, "open");
        ws.send('{"type":"Ping","timestamp":1}');
        const [pong] = await once(ws, "message");
        assert.equal(String(pong), '{"type":"Pong","timestamp":1}');
        ws.terminate();
      });

      // The right certificate with another's key is told at start.
      const other = await Deno.makeTempDir({ dir: cwd });
      await makeCertificate(openssl, other);
      const args = ["simulate", "--addr", "127.0.0.1:0", "--tls-cert", "cert.pem"];
      const { code, stderr } = await runMdg({ args: [...args, "--tls-key", `${other}/key.pem`], cwd });
      assert.equal(code, 2);
      assert.match(stderr, /the private key is another's/);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
);

Deno.test("a taken port names the port and the flag", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  try {
    const child = spawnMdg({ args: ["simulate", "--addr", `127.0.0.1:${port}`] });
    await child.stdin.close();
    const { code, stderr } = await child.output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 1);
    assert.match(text, new RegExp(`listen on "127.0.0.1:${port}": address in use`));
    assert.match(text, /hint: .*--addr/);
  } finally {
    holder.close();
    await once(holder, "close");
  }
});
