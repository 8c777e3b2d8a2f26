/** Where the data goes: does every sink take it, how far is it behind, what was lost. */
import { type Dashboard, perSecond, quantiles } from "./dashboard.ts";

export const sinks: Dashboard = {
  uid: "mdg-sinks",
  title: "mdg / sinks",
  rows: [
    {
      title: "All sinks",
      panels: [
        {
          title: "Taken",
          unit: "cps",
          help: "Messages that the other side has taken.",
          queries: [[perSecond("sink_published_total", "sink, type"), "{{sink}} {{type}}"]],
        },
        {
          title: "Waiting",
          unit: "short",
          min: 0,
          help: "Messages queued or in flight. MdgSinkBehind fires above 10,000 for 5 minutes.",
          queries: [["sink_queued{$I}", "{{instance}} {{sink}}"]],
        },
        {
          title: "Memory of what waits",
          unit: "bytes",
          min: 0,
          help: "Counts against the memory budget.",
          queries: [["sink_queued_bytes{$I}", "{{instance}} {{sink}}"]],
        },
        {
          title: "Lost",
          unit: "short",
          help: "In five minutes: dropped at a bound, refused for good, or left at shutdown.",
          queries: [["sum by (sink, type) (increase(sink_dropped_total{$I}[5m])) > 0", "{{sink}} {{type}}"]],
        },
        {
          title: "Conflated",
          unit: "cps",
          help: "Replaced by a newer state while the sink was behind: no loss for who wants the latest.",
          queries: [[perSecond("sink_conflated_total", "sink"), "{{sink}}"]],
        },
        {
          title: "Refused writes",
          unit: "cps",
          help: "Attempts that failed; they are tried again.",
          queries: [[perSecond("sink_errors_total", "sink"), "{{sink}}"]],
        },
      ],
    },
    {
      title: "Redis, RabbitMQ, QuestDB",
      panels: [
        {
          title: "Redis: write",
          unit: "s",
          help: "One batch, from sent to answered.",
          queries: quantiles("redis_publish_latency_seconds", "sink", "{{sink}}"),
        },
        {
          title: "RabbitMQ: confirm",
          unit: "s",
          help: "From sent to confirmed.",
          queries: quantiles("rabbitmq_stream_confirm_latency_seconds", "sink", "{{sink}}"),
        },
        {
          title: "QuestDB: write",
          unit: "s",
          help: "One batch, from sent to answered.",
          queries: quantiles("questdb_write_latency_seconds", "sink", "{{sink}}"),
        },
        {
          title: "Published",
          unit: "cps",
          help: "By the names of the old service's dashboards.",
          queries: [
            [perSecond("redis_publishes_total", "type"), "Redis {{type}}"],
            [perSecond("rabbitmq_stream_publishes_total", "type"), "RabbitMQ {{type}}"],
          ],
        },
        {
          title: "Errors",
          unit: "short",
          help: "Messages not taken at an attempt, in five minutes.",
          queries: [
            ["sum by (symbol) (increase(redis_errors_total{$I}[5m]))", "Redis {{symbol}}"],
            ["sum by (symbol) (increase(rabbitmq_stream_errors_total{$I}[5m]))", "RabbitMQ {{symbol}}"],
          ],
        },
      ],
    },
    {
      title: "Database, files, alerts",
      panels: [
        {
          title: "Database: transaction",
          unit: "s",
          help: "Time of one transaction.",
          queries: quantiles("sql_write_latency_seconds", "sink", "{{sink}}"),
        },
        {
          title: "Database: rows",
          unit: "cps",
          help: "Handed to the database or its spool.",
          queries: [[perSecond("sql_rows_total", "sink, table"), "{{sink}} {{table}}"]],
        },
        {
          title: "Spool",
          unit: "short",
          min: 0,
          help: "Rows that wait on the disk while the database is away.",
          queries: [["sql_spool_rows{$I}", "{{instance}} {{sink}}"]],
        },
        {
          title: "Spool: size",
          unit: "bytes",
          min: 0,
          help: "At its bound the oldest quotes go first.",
          queries: [["sql_spool_bytes{$I}", "{{instance}} {{sink}}"]],
        },
        {
          title: "Files",
          unit: "Bps",
          help: "Bytes appended to log files.",
          queries: [[perSecond("log_written_bytes_total", "sink"), "{{sink}}"]],
        },
        {
          title: "Spoken and posted alerts",
          unit: "short",
          help: "In ten minutes.",
          queries: [
            ["sum by (rule) (increase(alerts_raised_total{$I}[10m]))", "raised {{rule}}"],
            [
              "sum by (channel, reason) (increase(alerts_dropped_total{$I}[10m]))",
              "dropped {{channel}} {{reason}}",
            ],
            ["sum by (sink) (increase(alerts_posted_total{$I}[10m]))", "posted {{sink}}"],
          ],
        },
      ],
    },
  ],
};
