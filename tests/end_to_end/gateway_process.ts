/** `mdg run` on a config of the test's own, with ports of its own: what it answers on health, and how to reload it. */
import assert from "node:assert/strict";
import { DaemonProcess } from "./daemon_process.ts";
import { until } from "./until.ts";

export interface Readiness {
  status: number;
  ready: boolean;
  reasons: string[];
}

export class GatewayProcess implements AsyncDisposable {
  health_url = "";
  ws_url = "";
  private constructor(readonly process: DaemonProcess, readonly folder: string, readonly file: string) {}

  /** `config` is written as JSON, which every form of config takes. Resolves when it listens. */
  static async start(config: object, args: readonly string[] = []): Promise<GatewayProcess> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-e2e-" });
    const file = `${folder}/gateway.json`;
    await Deno.writeTextFile(file, JSON.stringify(config));
    const process = new DaemonProcess(["run", "--config", file, ...args]);
    const gateway = new GatewayProcess(process, folder, file);
    try {
      // The flat form has no WebSocket: health alone is always there.
      gateway.health_url = loopback((await process.says("listening", { server: "health" })).url);
      gateway.ws_url = loopback(process.said("listening", { server: "websocket" })[0]?.url ?? "");
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
    return gateway;
  }
  async readiness(): Promise<Readiness> {
    const response = await fetch(`${this.health_url}/ready`);
    return { status: response.status, ...await response.json() };
  }
  untilReady(limit_ms = 20_000): Promise<Readiness> {
    return this.untilReadiness("ready", ({ ready }) => ready, limit_ms);
  }
  async untilReadiness(
    what: string,
    wanted: (readiness: Readiness) => boolean,
    limit_ms = 20_000,
  ): Promise<Readiness> {
    let last: Readiness | undefined;
    return await until(
      `/ready to say ${what}`,
      async () => wanted(last = await this.readiness()) && last,
      limit_ms,
      () => `${JSON.stringify(last)}\n${this.process.tail()}`,
    );
  }
  async metricsText(): Promise<string> {
    const response = await fetch(`${this.health_url}/metrics`);
    assert.equal(response.status, 200);
    return await response.text();
  }
  /** The value of one sample, its labels as they are printed in any order; undefined when it is absent. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    return metricIn(await this.metricsText(), name, labels);
  }
  /** Puts another config in the file's place and says SIGHUP. */
  async reload(config: object | string): Promise<void> {
    await Deno.writeTextFile(this.file, typeof config === "string" ? config : JSON.stringify(config));
    this.process.signal("SIGHUP");
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

export function metricIn(
  text: string,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  for (const line of text.split("\n")) {
    if (!line.startsWith(name)) continue;
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null || match[1] !== name) continue;
    const found = new Map(
      [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((one) => [one[1], one[2]]),
    );
    if (Object.entries(labels).every(([key, value]) => found.get(key) === value)) return Number(match[3]);
  }
  return undefined;
}

/** Reachable from here, also when it listens on all interfaces. */
function loopback(url: unknown): string {
  return String(url).replace("//0.0.0.0:", "//127.0.0.1:");
}
