/**
 * A restream server in a process of its own, for tests that attack it and look at its heap. Arguments: its config as
 * JSON. Says its address, then answers lines: `heap` (after a collection), `counts`, `trade N`, `stall MILLISECONDS`
 * (the event loop stands still). Ends with stdin.
 */
import { systemClock } from "../../../../../lib/base/clock.ts";
import { restream } from "../../../../../lib/servers/restream/restream.ts";
import { FakeHub } from "../../fake_hub.ts";

const say = (value: object) => Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));
const hub = new FakeHub(systemClock);
for (let i = 0; i < 50; i++) hub.sync(`S${i}`, [[100, 1], [99, 2]], [[101, 1], [102, 2]]);
const server = await restream.open(restream.schema.parse(JSON.parse(Deno.args[0])), hub);
const { gc } = globalThis as unknown as { gc(): void };
say({ address: server.address });

function counted(name: string, label: string): Record<string, number> {
  const { children } = hub.metrics.counter(name, "", [label]);
  return Object.fromEntries([...children.values()].map(({ labels, value }) => [labels[0], value.value]));
}

let trades = 0;
function answer(word: string, amount: number): object {
  switch (word) {
    case "heap": {
      gc();
      gc();
      const { heapUsed, external, rss } = Deno.memoryUsage();
      return { bytes: heapUsed + external, rss };
    }
    case "counts": {
      hub.metrics.collect();
      return {
        clients: hub.metrics.gauge("mdg_websocket_clients", "").with().value,
        subscriptions: hub.metrics.gauge("mdg_websocket_subscriptions", "").with().value,
        queued_bytes: hub.metrics.gauge("mdg_websocket_queued_bytes", "").with().value,
        closes: counted("mdg_websocket_closes_total", "reason"),
        refused: counted("mdg_websocket_refused_total", "reason"),
        door: counted("front_door_refused_total", "reason"),
        errors: counted("mdg_websocket_request_errors_total", "code"),
      };
    }
    case "trade":
      for (let i = 0; i < amount; i++) hub.trade("S0", ++trades);
      hub.flush();
      return { trades };
    default: {
      const until_ms = systemClock.monotonic_ms() + amount;
      while (systemClock.monotonic_ms() < until_ms);
      return { stalled_ms: amount };
    }
  }
}

let rest = "";
for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const [word, amount] = line.split(" ");
    say(answer(word, Number(amount)));
  }
}
await server[Symbol.asyncDispose]();
