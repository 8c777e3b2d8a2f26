/** A gateway's pages as its state and its screens: restarts, what is absent, and keys that are not taken twice. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { MetricsPage } from "../../../../lib/formats/prometheus_text.ts";
import { gatewayState } from "../../../../lib/monitors/gateway/gateway_state.ts";
import { GATEWAY_VIEWS } from "../../../../lib/monitors/gateway/gateway_screen.ts";
import { GatewaySampler } from "../../../../lib/monitors/gateway/gateway_sampler.ts";
import { type GatewayLook, HealthPort } from "../../../../lib/monitors/gateway/health_port.ts";
import { sessionList, upstreamList } from "../../../../lib/monitors/gateway/session_list.ts";
import { NET_VIEWS } from "../../../../lib/monitors/net/net_screen.ts";
import { NetSampler } from "../../../../lib/monitors/net/net_sampler.ts";
import type { Block } from "../../../../lib/tui/screen.ts";

const OPTIONS = { stale_after_s: 15 };
/** The view's own. */
const RESERVED = ["q", "h", "?", "+", "=", "-"];

async function look(lines: string[], at_ms = 0, more: Partial<GatewayLook> = {}): Promise<GatewayLook> {
  const page = await MetricsPage.read(lines.join("\n"));
  return { page, at_ms, gateway_ms: 1_700_000_100_000, ready: true, reasons: [], ...more };
}

function page(started_s: number, messages: number): string[] {
  return [
    `process_start_time_seconds ${started_s}`,
    `messages_processed_total{symbol="A",type="depth"} ${messages}`,
    'feed_data_expected{venue="kraken",symbol="A"} 1',
    'book_in_sync{venue="kraken",symbol="A"} 1',
    `processing_latency_microseconds_bucket{symbol="A",le="10"} ${messages}`,
    `processing_latency_microseconds_bucket{symbol="A",le="+Inf"} ${messages}`,
    'sink_queued{sink="redis"} 3',
    'sink_dropped_total{sink="redis",type="book"} 0',
    "mdg_websocket_clients 2",
    "mdg_memory_used_bytes 50",
    "mdg_memory_budget_bytes 200",
  ];
}

Deno.test("between two readings of one process there are rates; after a restart there are none", async () => {
  const before = await look(page(1_700_000_000, 100));
  const state = gatewayState(await look(page(1_700_000_000, 400), 3_000), before, OPTIONS);
  assert.deepEqual([state.messages_per_s, state.restarted, state.elapsed_s], [100, false, 3]);
  assert.equal(state.latency_p99_us, 9.9);
  assert.deepEqual([state.memory?.used_pct, state.memory?.evicted, state.memory?.new_evicted], [25, 0, 0]);
  assert.deepEqual([state.clients?.clients, state.clients?.new_skipped], [2, 0]);
  assert.deepEqual([state.sinks[0].queued, state.sinks[0].new_dropped], [3, 0]);
  const again = gatewayState(await look(page(1_700_000_050, 5), 3_000), before, OPTIONS);
  assert.deepEqual([again.messages_per_s, again.restarted, again.elapsed_s], [undefined, true, undefined]);
  assert.equal(again.feeds[0].messages_per_s, undefined);
});

Deno.test("what a gateway does not have is absent", async () => {
  const { clients, memory, sinks, feeds, process } = gatewayState(await look([]), undefined, OPTIONS);
  assert.deepEqual([clients, memory, sinks, feeds, process.uptime_s], [
    undefined,
    undefined,
    [],
    [],
    undefined,
  ]);
});

Deno.test("pages of another release: what is missing is absent, what is no such page is none", () => {
  assert.deepEqual(sessionList({ sessions: [{ id: "a", lag_ms: "soon", novel: 1 }] }), {
    sessions: [{
      id: "a",
      lag_ms: undefined,
    }],
    total: undefined,
    acts: [],
  });
  assert.equal(sessionList({ clients: 3 }), undefined);
  assert.equal(upstreamList([]), undefined);
  assert.deepEqual(upstreamList({ upstreams: [{ state: "hovering", symbols: 2 }] }), [{
    state: undefined,
    symbols: 2,
  }]);
});

Deno.test("no column takes a key that the view needs", async () => {
  const clock = new ManualClock();
  const port = new HealthPort({ url: "9090", clock, timeout_ms: 1_000 });
  const gateway = new GatewaySampler(port, 15);
  const state = gatewayState(await look(page(1_700_000_000, 1)), undefined, OPTIONS);
  const sample = {
    ...state,
    books_total: 1,
    books_out_of_sync: 0,
    sessions: { sessions: [{}], acts: [{}] },
    upstreams: [{}],
  };
  const net = new NetSampler({ clock, timeout_ms: 1_000, hosts: [], stale_after_s: 15 });
  const traffic = {
    by: "sock_diag" as const,
    missing: [],
    devices: [],
    processes: [],
    sockets: [],
    sockets_omitted: 0,
    receive_queue: 0,
    send_queue: 0,
    listening: [],
    established: 0,
    time_wait: 0,
    totals: {},
  };
  const history = () => [];
  const blocks: Block[] = [
    ...GATEWAY_VIEWS.flatMap(({ name: view }) => gateway.draw(sample, { view, history })),
    ...NET_VIEWS.flatMap(({ name: view }) =>
      net.draw({ traffic, hosts: [], gateway: { address: "", feeds: [] }, unseen: [] }, {
        view,
        history,
      })
    ),
  ];
  const tables = blocks.filter((block) => block.kind === "table");
  assert.ok(tables.length >= 10);
  for (const { title, columns } of tables) {
    const keys = columns.flatMap(({ key }) => key ?? []);
    assert.equal(new Set(keys).size, keys.length, title);
    for (const key of keys) assert.ok(!RESERVED.includes(key), `${title}: ${key}`);
  }
  await gateway[Symbol.asyncDispose]();
  await net[Symbol.asyncDispose]();
});
