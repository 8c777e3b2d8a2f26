/**
 * What `mdg monitor net` looks at: this machine's interfaces and sockets, handshakes with given hosts, the feeds of a
 * running gateway. Each part stands for itself: what can't be seen is said, and the others go on.
 */
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { greatest, total } from "../known_numbers.ts";
import { feedReadings } from "../gateway/feed_measures.ts";
import type { ProcFiles } from "../../os/proc_files.ts";
import { type FeedRow, feedRows } from "../gateway/feed_rows.ts";
import type { GatewayLook, HealthPort } from "../gateway/health_port.ts";
import { CSV_COLUMNS, csvRows } from "./net_csv.ts";
import type { CsvTable, Finding, Look, Readings, Sampler, ViewChoice } from "../monitor.ts";
import { drawNet, NET_VIEWS } from "./net_screen.ts";
import type { Prober, ProbeReport } from "./prober.ts";
import type { Target } from "./target.ts";
import { type Traffic, TrafficMeter } from "./traffic.ts";

const SHOWN_FAILURES = 3;
const LOOPBACK = "lo";

export interface HostSample extends ProbeReport {
  target: string;
  kind: Target["kind"];
}
export interface NetSample {
  traffic?: Traffic;
  hosts: HostSample[];
  gateway?: { address: string; version?: string; feeds: FeedRow[] };
  /** Parts that could not be looked at, and why. */
  unseen: { part: "machine" | "gateway"; text: string }[];
}

export interface NetOptions {
  readonly clock: Clock;
  /** Deadline of one look. */
  readonly timeout_ms: number;
  /** Ends with this sampler. */
  readonly watch?: Disposable;
  readonly files?: ProcFiles;
  /** Why there are none. */
  readonly no_files?: string;
  readonly hosts: readonly { readonly target: Target; readonly prober: Prober }[];
  readonly gateway?: HealthPort;
  readonly stale_after_s: number;
  /** Absent: all but loopback. */
  readonly interfaces?: readonly string[];
  /** Names, or parts of them; absent: all. */
  readonly processes?: readonly string[];
}

export class NetSampler implements Sampler<NetSample> {
  readonly target: string;
  readonly views: readonly ViewChoice[] = NET_VIEWS;
  readonly csv: CsvTable<NetSample> = { columns: CSV_COLUMNS, rows: csvRows };
  readonly #meter: TrafficMeter | undefined;
  readonly #stopping = new AbortController();
  #gateway_before: GatewayLook | undefined;

  constructor(readonly options: NetOptions) {
    const { files, clock, hosts, gateway, processes } = options;
    this.#meter = files && new TrafficMeter(files, clock, processes);
    const named = [
      ...hosts.map(({ target }) => target.name),
      ...(gateway ? [`gateway ${gateway.name}`] : []),
    ];
    this.target = named.length === 0 ? "this machine" : named.slice(0, 3).join(", ") +
      (named.length > 3 ? ` and ${named.length - 3} more` : "");
  }

  async poll(): Promise<NetSample> {
    const { no_files, hosts } = this.options;
    const unseen: NetSample["unseen"] = no_files === undefined ? [] : [{ part: "machine", text: no_files }];
    const [traffic, gateway] = await Promise.all([
      this.#meter?.look(),
      this.#lookAtGateway().catch((error) => {
        unseen.push({ part: "gateway", text: `gateway ${this.options.gateway!.name}: ${reasonOf(error)}` });
        return undefined;
      }),
      this.#firstEnds(),
    ]);
    return {
      traffic,
      hosts: hosts.map(({ target, prober }) => ({
        target: target.name,
        kind: target.kind,
        ...prober.report(),
      })),
      gateway,
      unseen,
    };
  }
  readings({ traffic, hosts, gateway }: NetSample): Readings {
    const devices = traffic ? this.#counted(traffic) : [];
    return {
      received_bytes_per_s: total(devices.map((one) => one.received_bytes_per_s)),
      sent_bytes_per_s: total(devices.map((one) => one.sent_bytes_per_s)),
      interface_faults: total(devices.map((one) => one.faults)),
      connections: traffic?.established,
      retransmit_pct: traffic?.retransmit_pct,
      listen_overflows: traffic?.listen_overflows,
      rtt_p50_us: traffic?.rtt_p50_us,
      rtt_p99_us: traffic?.rtt_p99_us,
      receive_queue_bytes: traffic?.receive_queue,
      send_queue_bytes: traffic?.send_queue,
      latency_p50_us: greatest(hosts.map(({ latency }) => latency.p50_us)),
      latency_p99_us: greatest(hosts.map(({ latency }) => latency.p99_us)),
      latency_max_us: greatest(hosts.map(({ latency }) => latency.max_us)),
      loss_pct: greatest(hosts.map(({ loss_pct }) => loss_pct)),
      ...feedReadings(gateway?.feeds),
    };
  }
  /**
   * What this user may not see is no fault of the network; a gateway that does not answer is, and so is a host of which
   * nothing came while a whole look waited for it.
   */
  findings({ unseen, hosts }: NetSample): Finding[] {
    const silent = hosts.filter(({ total, waiting }) =>
      waiting > 0 && total.answered + total.lost + total.not_measured === 0
    );
    return [
      ...unseen.filter(({ part }) => part === "gateway").map(({ text }) => text),
      ...silent.map(({ target }) => `${target}: no answer yet`),
    ].map((text) => ({ level: "critical", text }));
  }
  headline(sample: NetSample): string {
    const { traffic, hosts, gateway } = sample;
    const { received_bytes_per_s, sent_bytes_per_s, loss_pct } = this.readings(sample);
    const said: string[] = [];
    if (received_bytes_per_s !== undefined && sent_bytes_per_s !== undefined) {
      said.push(`${Math.round(received_bytes_per_s)} B/s in, ${Math.round(sent_bytes_per_s)} B/s out`);
    }
    if (traffic) said.push(`${traffic.established} connections`);
    if (hosts.length > 0) {
      const failing = hosts.filter(({ failure }) => failure !== undefined);
      const why = failing.slice(0, SHOWN_FAILURES).map(({ target, failure }) => `${target}: ${failure}`);
      const more = failing.length > why.length ? [`${failing.length - why.length} more`] : [];
      const lost = loss_pct === undefined ? "" : `, ${Math.round(loss_pct)}% lost`;
      const reasons = why.length === 0 ? "" : ` (${[...why, ...more].join("; ")})`;
      said.push(`${hosts.length} host${hosts.length === 1 ? "" : "s"}${lost}${reasons}`);
    }
    if (gateway) {
      said.push(
        `${
          gateway.feeds.filter(({ state }) => state === "live").length
        } of ${gateway.feeds.length} feeds live`,
      );
    }
    return said.join(", ");
  }
  draw(sample: NetSample, look: Look) {
    return drawNet(sample, this.readings(sample), look);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    for (const { prober } of this.options.hosts) prober[Symbol.dispose]();
    this.options.watch?.[Symbol.dispose]();
    await Promise.resolve();
  }

  /** A look without any handshake's end would call a silent host neither good nor bad. */
  async #firstEnds(): Promise<void> {
    const { clock, hosts, timeout_ms } = this.options;
    const late = Promise.withResolvers<void>();
    const timer = clock.after(timeout_ms, () => late.resolve());
    try {
      await Promise.race([late.promise, Promise.all(hosts.map(({ prober }) => prober.first_end))]);
    } finally {
      timer.cancel();
    }
  }
  async #lookAtGateway(): Promise<NetSample["gateway"]> {
    const { gateway, stale_after_s } = this.options;
    if (!gateway) return undefined;
    const before = this.#gateway_before;
    const now = await gateway.look(this.#stopping.signal);
    this.#gateway_before = now;
    return { address: gateway.name, version: now.version, feeds: feedRows(now, before, { stale_after_s }) };
  }
  #counted({ devices }: Traffic) {
    const { interfaces } = this.options;
    return devices.filter(({ name }) =>
      interfaces === undefined ? name !== LOOPBACK : interfaces.includes(name)
    );
  }
}
