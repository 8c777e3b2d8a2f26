/**
 * The first handshake of a process is slow by its own doing: code is loaded, authorities are read. It is had here, with a
 * listener of our own that hangs up, so that no host is charged for it.
 */
import type { Clock } from "../../base/clock.ts";
import { shakeHands } from "./handshake.ts";
import { readTarget, type Target } from "./target.ts";

const ROUNDS = 3;
const TIMEOUT_MS = 1_000;

/** Never rejects: where nothing may be listened on, the first handshake is slow. */
export async function warmUp(targets: readonly Target[], clock: Clock, signal: AbortSignal): Promise<void> {
  if (targets.length === 0) return;
  let listener: Deno.Listener;
  try {
    listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  } catch {
    return;
  }
  const hangingUp = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const schemes = new Set(targets.map(({ kind, has_tls }) => kind === "ws" ? has_tls ? "wss" : "ws" : kind));
  for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
    for (const scheme of schemes) {
      const target = readTarget(`${scheme}://127.0.0.1:${port}`);
      await shakeHands(target, { clock, timeout_ms: TIMEOUT_MS, signal }).catch(() => {});
    }
  }
  listener.close();
  await hangingUp;
}
