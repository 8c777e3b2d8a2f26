/** `mdg mock` as a process: its addresses once it is ready, and what it says of itself. */
import { DaemonProcess } from "./daemon_process.ts";
import type { MockStats } from "../../lib/mocks/mock.ts";
import { until } from "./until.ts";

export class MockProcess implements AsyncDisposable {
  private constructor(
    readonly process: DaemonProcess,
    readonly ws_url: string,
    readonly rest_url: string,
    readonly stats_url: string,
  ) {}

  static async start(venue: string, args: readonly string[]): Promise<MockProcess> {
    const process = new DaemonProcess(["mock", venue, ...args]);
    try {
      const line = await until(
        "the mock's address",
        () => process.stdout[0],
        20_000,
        () => process.tail(),
      );
      const { ws_url, rest_url, stats_url } = JSON.parse(line);
      return new MockProcess(process, ws_url, rest_url, stats_url);
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }
  /** 127.0.0.1:PORT, to start another in its place. */
  get address(): string {
    return new URL(this.rest_url).host;
  }
  async stats(): Promise<MockStats> {
    const response = await fetch(this.stats_url);
    return await response.json();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}
