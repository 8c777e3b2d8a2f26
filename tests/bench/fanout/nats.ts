/**
 * nats-server with a WebSocket listener, as a measure: its own process on one core, messages of the same size from a
 * publisher on its TCP port. The publisher keeps a bounded number of messages ahead of the server, by PING and PONG.
 */
import { PinnedProcess, say } from "./pinned_process.ts";
import { sleep, systemClock } from "../../../lib/base/clock.ts";

const PROGRAMS = ["/usr/sbin/nats-server", "/usr/local/bin/nats-server", "/usr/bin/nats-server"];
export const SUBJECT = "bench";
const CHUNK_MESSAGES = 64;
/** Chunks the server has not confirmed. */
const WINDOW = 8;

/** Payload bytes of the WebSocket that stand for one message: NATS packs several into one frame. */
export function natsMessageBytes(payload_bytes: number): number {
  return `MSG ${SUBJECT} 1 ${payload_bytes}\r\n`.length + payload_bytes + 2;
}
export const NATS_REQUEST = `CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${SUBJECT} 1\r\n`;

export interface NatsServer extends AsyncDisposable {
  readonly process: PinnedProcess;
  readonly tcp_address: string;
  readonly ws_address: string;
}

/** Undefined where nats-server is not installed. */
export async function openNats(core: number): Promise<NatsServer | undefined> {
  const program = PROGRAMS.find((file) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  });
  if (program === undefined) return undefined;
  const folder = await Deno.makeTempDir();
  const [tcp, ws] = [freePort(), freePort()];
  const config = `listen: "127.0.0.1:${tcp}"\nwebsocket { listen: "127.0.0.1:${ws}", no_tls: true }\n`;
  await Deno.writeTextFile(`${folder}/nats.conf`, config);
  const process = new PinnedProcess("nats-server", core, program, ["-c", `${folder}/nats.conf`]);
  await listening(ws);
  return {
    process,
    tcp_address: `127.0.0.1:${tcp}`,
    ws_address: `127.0.0.1:${ws}`,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    try {
      using _ = await Deno.connect({ hostname: "127.0.0.1", port });
      return;
    } catch {
      await sleep(systemClock, 25);
    }
  }
  throw new Error(`start nats-server: nothing listens on ${port}`);
}

/** The publisher's process: ADDRESS, payload bytes. */
async function publish(address: string, payload_bytes: number): Promise<void> {
  const [hostname, port] = address.split(":");
  const conn = await Deno.connect({ hostname, port: Number(port) });
  const encoder = new TextEncoder();
  const message = `PUB ${SUBJECT} ${payload_bytes}\r\n${"x".repeat(payload_bytes)}\r\n`;
  const chunk = encoder.encode(message.repeat(CHUNK_MESSAGES) + "PING\r\n");
  await conn.write(encoder.encode('CONNECT {"verbose":false,"pedantic":false}\r\n'));
  // Its first line is INFO, every other one a PONG.
  let ahead = 1;
  let more = Promise.withResolvers<void>();
  const reading = async () => {
    const buffer = new Uint8Array(65_536);
    for (let size = await conn.read(buffer); size !== null; size = await conn.read(buffer)) {
      for (let i = 0; i < size; i++) if (buffer[i] === 0x0a) ahead--;
      more.resolve();
    }
    Deno.exit(0);
  };
  void reading();
  say({ publishing: true });
  for (;;) {
    while (ahead >= WINDOW) {
      more = Promise.withResolvers();
      await more.promise;
    }
    ahead++;
    for (let at = 0; at < chunk.length;) at += await conn.write(chunk.subarray(at));
  }
}

if (import.meta.main) await publish(Deno.args[0], Number(Deno.args[1]));
