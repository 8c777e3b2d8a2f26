/** Prometheus on our own scrape config and rules, with another target and a quick pace; on a port and folder of its own. */
import { parse } from "yaml";
import { systemClock } from "../../lib/base/clock.ts";
import { freePort, startDaemon } from "../../scripts/services/daemon.ts";
import { path } from "../mdg_process.ts";

interface Answer {
  status: string;
  error?: string;
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

export class PrometheusProcess implements AsyncDisposable {
  private constructor(readonly url: string, readonly stop: () => Promise<void>) {}

  static async start(program: string, target: string): Promise<PrometheusProcess> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-prometheus-" });
    const config = parse(await Deno.readTextFile(path("deploy/prometheus/prometheus.yml")));
    Object.assign(config.global, { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" });
    config.scrape_configs[0].static_configs[0].targets = [target];
    await Deno.writeTextFile(`${folder}/prometheus.yml`, JSON.stringify(config));
    await Deno.copyFile(path("deploy/prometheus/alerts.yml"), `${folder}/alerts.yml`);
    const url = `http://127.0.0.1:${freePort()}`;
    const stop = await startDaemon({
      program,
      args: [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=${url.slice("http://".length)}`,
      ],
      folder,
      clock: systemClock,
      isReady: async () => {
        const { ok, body } = await fetch(`${url}/-/ready`).catch(() => ({ ok: false, body: null }));
        await body?.cancel();
        return ok;
      },
    });
    return new PrometheusProcess(url, stop);
  }
  async query(expr: string): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: expr }),
    });
    return await response.json();
  }
  /** Rules by name, with what Prometheus says of their last evaluation. */
  async rules(): Promise<{ name: string; health: string; lastError?: string; state: string }[]> {
    const { data } = await (await fetch(`${this.url}/api/v1/rules`)).json();
    return data.groups.flatMap(({ rules }: { rules: unknown[] }) => rules);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
