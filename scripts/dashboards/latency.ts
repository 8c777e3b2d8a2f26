/** How fast: from the frame to the update and to each exit, and the process that does it. */
import { type Dashboard, quantiles } from "./dashboard.ts";

export const latency: Dashboard = {
  uid: "mdg-latency",
  title: "mdg / latency and process",
  rows: [
    {
      title: "Latency",
      panels: [
        {
          title: "Frame to update",
          unit: "µs",
          help: "From frame received to update handed out. MdgSlow fires when p99 is above 100 µs.",
          queries: quantiles("processing_latency_microseconds", "instance", "{{instance}}", [
            0.5,
            0.99,
            0.999,
          ]),
        },
        {
          title: "Frame to update, by symbol",
          unit: "µs",
          help: "99 of 100 updates took no longer.",
          queries: quantiles("processing_latency_microseconds", "symbol", "{{symbol}}", [0.99]),
        },
        {
          title: "Frame to update, all of it",
          kind: "heatmap",
          unit: "short",
          help: "How many updates took how long.",
          queries: [[
            "sum by (le) (increase(processing_latency_microseconds_bucket{$I}[$__rate_interval]))",
            "{{le}}",
          ]],
        },
        {
          title: "Frame to exit",
          unit: "s",
          width: 12,
          help:
            "From frame received to update handed to the sink or server. Sinks that store wait for batches by design.",
          queries: quantiles("exit_latency_seconds", "exit", "{{exit}}"),
        },
        {
          title: "Venue to exit",
          unit: "s",
          width: 12,
          help: "From the venue's own time: its network, our way, and the difference of the clocks.",
          queries: quantiles("exit_exchange_latency_seconds", "exit", "{{exit}}"),
        },
      ],
    },
    {
      title: "Process",
      panels: [
        {
          title: "Event loop",
          unit: "s",
          min: 0,
          help: "How late timers run, p99 of the last minute. MdgEventLoopLag fires at 0.25 s.",
          queries: [["mdg_event_loop_lag_p99_seconds{$I}", "{{instance}}"]],
        },
        {
          title: "Memory",
          unit: "bytes",
          min: 0,
          help: "Resident, and the engine's parts of it.",
          queries: [
            ["process_resident_memory_bytes{$I}", "resident {{instance}}"],
            ["mdg_heap_used_bytes{$I}", "heap {{instance}}"],
            ["mdg_external_memory_bytes{$I}", "buffers {{instance}}"],
          ],
        },
        {
          title: "Running for",
          unit: "dtdurations",
          min: 0,
          help: "A saw is a process that restarts; MdgRestarting fires at three starts in 15 minutes.",
          queries: [["time() - process_start_time_seconds{$I}", "{{instance}}"]],
        },
        {
          title: "Versions",
          kind: "table",
          unit: "short",
          width: 24,
          help: "What runs where.",
          queries: [["mdg_build_info{$I}", ""]],
        },
      ],
    },
  ],
};
