/**
 * The health port of a running gateway, read as it is: /metrics, /ready, /health, and with a token what needs one. One
 * deadline for a whole look, a bound on each body, no redirects (they would carry the token elsewhere).
 */
import type { Clock } from "../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import { MetricsPage } from "../../formats/prometheus_text.ts";

/** 5,000 symbols make 10 MB. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** One page of them; the gateway tells how many there are. */
const MAX_SESSIONS = 200;
const MAX_REASONS = 100;
/** `Date` is in whole seconds: what is within is no difference. */
const CLOCK_TOLERANCE_MS = 2_000;

export interface GatewayLook {
  page: MetricsPage;
  /** Monotonic, when /metrics was answered. */
  at_ms: number;
  /** The gateway's wall clock then. */
  gateway_ms: number;
  version?: string;
  ready: boolean;
  reasons: string[];
  /** Sessions and upstreams, where this gateway tells of them. */
  clients?: unknown;
  upstreams?: unknown;
}

export interface HealthPortOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly timeout_ms: number;
  readonly token?: string;
}

interface Answer {
  status: number;
  text: string;
  /** Monotonic, and the gateway's wall clock, when it began to answer. */
  at_ms: number;
  gateway_ms: number;
}

export class HealthPort {
  readonly url: string;
  /** For people. */
  readonly name: string;

  /** @throws UserError (exit 2) for what is no address */
  constructor(readonly options: HealthPortOptions) {
    this.url = baseUrl(options.url);
    this.name = new URL(this.url).host;
  }
  /** Rejects with a few words when it can't be asked or is no gateway; whom they are about the caller knows. */
  async look(signal: AbortSignal): Promise<GatewayLook> {
    const { clock, timeout_ms } = this.options;
    const deadline = new AbortController();
    const timer = clock.after(timeout_ms, () => {
      deadline.abort(new Error(`no answer within ${timeout_ms} ms`));
    });
    const both = AbortSignal.any([signal, deadline.signal]);
    try {
      const [metrics, ready, health, clients, upstreams] = await Promise.all([
        this.#get("/metrics", both),
        this.#get("/ready", both),
        this.#get("/health", both),
        this.#getGuarded(`/clients?limit=${MAX_SESSIONS}`, both),
        this.#getGuarded("/upstreams", both),
      ]);
      if (metrics.status !== 200) throw new Error(`/metrics: status ${metrics.status}, want 200`);
      const page = await MetricsPage.read(metrics.text);
      if (!page.has("mdg_build_info")) throw new Error("no mdg answers there");
      const { is_ready, reasons } = readiness(ready);
      return {
        page,
        at_ms: metrics.at_ms,
        gateway_ms: metrics.gateway_ms,
        version: textAt(jsonOf(health.text), "version"),
        ready: is_ready,
        reasons,
        clients,
        upstreams,
      };
    } catch (error) {
      const reason = deadline.signal.aborted ? deadline.signal.reason : error;
      throw new Error(innermost(reason));
    } finally {
      timer.cancel();
    }
  }

  /** Undefined where there is no such page. Rejects when the token is not taken. */
  async #getGuarded(path: string, signal: AbortSignal): Promise<unknown> {
    const { token } = this.options;
    if (token === undefined) return undefined;
    const { status, text } = await this.#get(path, signal, { authorization: `Bearer ${token}` });
    if (status === 401 || status === 403) throw new Error(`${path}: the token is not taken`);
    return status === 200 ? jsonOf(text) : undefined;
  }
  async #get(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, { signal, redirect: "error", headers });
    const { clock } = this.options;
    const at_ms = clock.monotonic_ms();
    const gateway_ms = gatewayTime(response, clock.now_ms());
    const decoder = new TextDecoder();
    let text = "";
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw new Error(`${path}: more than ${MAX_BODY_BYTES} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
    return { status: response.status, text: text + decoder.decode(), at_ms, gateway_ms };
  }
}

/** Its own clock where that differs from ours by more than its answer's `Date` can be wrong. */
function gatewayTime(response: Response, now_ms: number): number {
  const date_ms = Date.parse(response.headers.get("date") ?? "");
  return Math.abs(date_ms - now_ms) > CLOCK_TOLERANCE_MS ? date_ms : now_ms;
}

/** "9090", "host:9090" and "http://host:9090/" → "http://host:9090" */
function baseUrl(text: string): string {
  const wanted = "want HOST:PORT or http://HOST:PORT";
  const full = /^\d+$/.test(text)
    ? `http://127.0.0.1:${text}`
    : text.includes("://")
    ? text
    : `http://${text}`;
  let url: URL;
  try {
    url = new URL(full);
  } catch {
    throw new UserError(`monitor the gateway at ${quoted(text)}: no address, ${wanted}`, { code: 2 });
  }
  const is_plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!["http:", "https:"].includes(url.protocol) || !is_plain) {
    throw new UserError(`monitor the gateway at ${quoted(url.host)}: more than an address, ${wanted}`, {
      code: 2,
    });
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

function readiness({ status, text }: Answer): { is_ready: boolean; reasons: string[] } {
  const body = jsonOf(text);
  const listed = typeof body === "object" && body !== null && "reasons" in body ? body.reasons : undefined;
  const reasons = Array.isArray(listed) ? listed.slice(0, MAX_REASONS).map(String) : [];
  const is_ready = status === 200;
  return { is_ready, reasons: is_ready || reasons.length > 0 ? reasons : [`/ready: status ${status}`] };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textAt(value: unknown, key: string): string | undefined {
  const found = typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
  return typeof found === "string" ? found : undefined;
}

/** fetch wraps the reason ("connection refused") several times. */
function innermost(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const text = reasonOf(inner);
  return /connection refused/i.test(text) ? "connection refused" : text;
}
