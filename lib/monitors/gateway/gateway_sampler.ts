/** What `mdg monitor gateway` knows after each look. A restart shows as one look without rates, never as negative ones. */
import type { CsvTable, Finding, Look, Readings, Sampler, ViewChoice } from "../monitor.ts";
import { greatest, scaled, total } from "../known_numbers.ts";
import { feedReadings } from "./feed_measures.ts";
import { drawGateway, GATEWAY_VIEWS } from "./gateway_screen.ts";
import { type BookRow, type GatewayState, gatewayState } from "./gateway_state.ts";
import { type SessionList, sessionList, upstreamList } from "./session_list.ts";
import type { UpstreamState } from "../../flow/session_registry.ts";
import type { GatewayLook, HealthPort } from "./health_port.ts";

/** Books that a sample tells of, those out of sync first. */
const MAX_BOOKS = 500;
const SHOWN_REASONS = 3;

export interface GatewaySample extends GatewayState {
  books_total: number;
  books_out_of_sync: number;
  /** As the gateway lists them; absent where it does not, or without a token. */
  sessions?: SessionList;
  upstreams?: readonly Partial<UpstreamState>[];
}

export class GatewaySampler implements Sampler<GatewaySample> {
  readonly target: string;
  readonly views: readonly ViewChoice[] = GATEWAY_VIEWS;
  readonly csv: CsvTable<GatewaySample> | undefined = undefined;
  readonly #stopping = new AbortController();
  #before: GatewayLook | undefined;

  constructor(readonly port: HealthPort, readonly stale_after_s: number) {
    this.target = port.name;
  }
  async poll(): Promise<GatewaySample> {
    const now = await this.port.look(this.#stopping.signal);
    const state = gatewayState(now, this.#before, { stale_after_s: this.stale_after_s });
    this.#before = now;
    return {
      ...state,
      books: state.books.toSorted(worstFirst).slice(0, MAX_BOOKS),
      books_total: state.books.length,
      books_out_of_sync: state.books.filter(({ in_sync }) => !in_sync).length,
      sessions: sessionList(now.clients),
      upstreams: upstreamList(now.upstreams),
    };
  }
  readings(sample: GatewaySample): Readings {
    const { feeds, sinks, clients, memory, process } = sample;
    return {
      not_ready: sample.ready ? 0 : sample.reasons.length,
      ...feedReadings(feeds),
      books_out_of_sync: sample.books_out_of_sync,
      messages_per_s: sample.messages_per_s,
      malformed: sample.new_malformed,
      latency_p50_us: sample.latency_p50_us,
      latency_p99_us: sample.latency_p99_us,
      event_loop_lag_p99_ms: scaled(process.event_loop_lag_p99_s, 1e3),
      sink_dropped: total(sinks.map((one) => one.new_dropped)),
      sink_errors: total(sinks.map((one) => one.new_errors)),
      sink_queued: greatest(sinks.map((one) => one.queued)),
      clients: clients?.clients,
      client_queued_bytes: clients?.queued_bytes,
      client_skipped: clients?.new_skipped,
      client_lag_p99_ms: clients?.lag_p99_ms,
      clients_evicted: memory?.new_evicted,
      memory_bytes: process.resident_bytes,
      memory_pct: memory?.used_pct,
      restarts: sample.restarted ? 1 : 0,
    };
  }
  /** The numbers say how much is wrong, the reasons what. */
  findings({ ready, reasons }: GatewaySample): Finding[] {
    if (ready) return [];
    return reasons.slice(0, SHOWN_REASONS).map((text) => ({ level: "critical", text }));
  }
  headline(
    { version, feeds, books_total, books_out_of_sync, sinks, clients, messages_per_s }: GatewaySample,
  ): string {
    const live = feeds.filter(({ state }) => state === "live").length;
    const said = [
      `mdg ${version ?? "?"}`,
      `${live} of ${feeds.length} feeds live`,
      `${books_total - books_out_of_sync} of ${books_total} books in sync`,
      `${sinks.length} sinks`,
      ...(clients ? [`${clients.clients} clients`] : []),
      ...(messages_per_s === undefined ? [] : [`${Math.round(messages_per_s)} messages/s`]),
    ];
    return said.join(", ");
  }
  draw(sample: GatewaySample, look: Look) {
    return drawGateway(sample, look);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.resolve();
  }
}

function worstFirst(one: BookRow, other: BookRow): number {
  return Number(one.in_sync) - Number(other.in_sync) || (other.updates_per_s ?? 0) - (one.updates_per_s ?? 0);
}
