/**
 * Thousands of WebSocket connections that do nothing, from raw sockets. Says `{"connected"}` when all have heard their
 * server's hello, and holds them until stdin ends.
 * Run: deno run -A idle_client.ts HOST:PORT CONNECTIONS [tls]
 */
import { say, words } from "./pinned_process.ts";
import { openRawClient, type RawClient } from "./raw_client.ts";

const AT_ONCE = 40;

const [address, count, tls] = Deno.args;
const held: RawClient[] = [];
async function open(): Promise<void> {
  const client = await openRawClient(address, [], 1, tls === "tls");
  // The hello is taken out of the kernel, or it would count as the connection's memory.
  if (client.left.length === 0) await client.conn.read(new Uint8Array(4_096));
  held.push(client);
}
for (let i = 0; i < Number(count); i += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, Number(count) - i) }, open));
}
say({ connected: held.length });
for await (const _ of words()) { /* until it is over */ }
Deno.exit(0);
