/**
 * A storm of clients that never read, in real bytes: the resident set's high-water mark, as the kernel kept it, stays
 * under the budget with the guard, and passes it without.
 */
import assert from "node:assert/strict";
import net from "node:net";
import { testUnless } from "../../../services.ts";
import { MIB } from "./simulated_clients.ts";

const BUDGET = 288 * MIB;
/** 120 × 4 MiB is what their queues would like to hold. */
const CLIENTS = 120;
const TURNS = 1_000;

interface Outcome {
  peak_bytes: number;
  evicted: { low: number; high: number; by_share: number; before_lower: number };
  refused: number;
  high_left: number;
  oscillations: number;
}

async function storm(mode: "guarded" | "unguarded"): Promise<Outcome> {
  const script = new URL("./real_storm.ts", import.meta.url).pathname;
  const flags = ["run", "-A", "--no-check", "--v8-flags=--max-semi-space-size=4"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...flags, script, String(BUDGET), mode, String(TURNS)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const sockets = new Set<net.Socket>();
  let over = false;
  let port = 0;
  const connect = (port: number) => {
    if (over) return;
    const socket = net.connect(port, "127.0.0.1");
    sockets.add(socket);
    socket.pause();
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  };
  let outcome: Outcome | undefined;
  let peak_bytes = 0;
  let rest = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const said = JSON.parse(line);
      if (said.port) {
        port = said.port;
        for (let i = 0; i < CLIENTS; i++) connect(port);
      } else if (said.gone) {
        // Whoever is cut off comes back.
        connect(port);
      } else {
        over = true;
        const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
        peak_bytes = Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
        outcome = { peak_bytes, ...said };
        for (const socket of [...sockets]) socket.destroy();
      }
    }
  }
  assert.ok((await child.status).success);
  return outcome!;
}

function tell(mode: string, { peak_bytes, ...rest }: Outcome): void {
  // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
  console.log(`${mode}: peak ${Math.round(peak_bytes / MIB)} MiB, budget ${BUDGET / MIB} MiB`, rest);
}

const missing = Deno.build.os === "linux" ? undefined : "no /proc";

testUnless(missing, "a storm of clients that never read stays under the budget, in real bytes", async () => {
  const guarded = await storm("guarded");
  tell("guarded", guarded);
  assert.ok(guarded.peak_bytes <= BUDGET, `${guarded.peak_bytes} of ${BUDGET}`);
  assert.ok(guarded.evicted.low > 0, "somebody had to go");
  assert.equal(guarded.evicted.before_lower, 0, "nobody of a higher class before those of a lower");
});

testUnless(missing, "canary: without the guard the same storm passes the budget", async () => {
  const unguarded = await storm("unguarded");
  tell("unguarded", unguarded);
  const { peak_bytes } = unguarded;
  assert.ok(peak_bytes > BUDGET, `${peak_bytes} of ${BUDGET}`);
});
