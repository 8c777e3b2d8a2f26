/**
 * A RabbitMQ node of our own: its own name, ports, folder and epmd, so that it can be killed -9, filled up and started
 * again without touching any other node. Streams enabled, guest/guest from this machine.
 */
import { type Clock, sleep, withDeadline } from "../../lib/base/clock.ts";
import { freePort } from "./daemon.ts";

/** Debian's wrapper on PATH changes the user; the script behind it runs as whoever we are. */
const BEHIND_WRAPPER = "/usr/lib/rabbitmq/bin";
const START_LIMIT_MS = 60_000;
const CONTROL_LIMIT_MS = 60_000;
const POLL_MS = 100;

export interface NodeOptions {
  /** Lines of rabbitmq.conf beside ours. */
  readonly config?: readonly string[];
}

export class RabbitmqNode implements AsyncDisposable {
  #server: Deno.ChildProcess | undefined;
  private constructor(
    readonly folder: string,
    readonly env: Record<string, string>,
    readonly port: number,
    readonly stream_port: number,
    readonly epmd: Deno.ChildProcess,
    readonly clock: Clock,
  ) {}

  static async start(clock: Clock, options: NodeOptions = {}): Promise<RabbitmqNode> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-rabbitmq-" });
    const [port, stream_port, epmd_port, dist_port] = [freePort(), freePort(), freePort(), freePort()];
    await Deno.writeTextFile(`${folder}/enabled_plugins`, "[rabbitmq_stream].\n");
    await Deno.writeTextFile(
      `${folder}/rabbitmq.conf`,
      [
        `listeners.tcp.1 = 127.0.0.1:${port}`,
        `stream.listeners.tcp.1 = 127.0.0.1:${stream_port}`,
        "stream.advertised_host = 127.0.0.1",
        `stream.advertised_port = ${stream_port}`,
        "disk_free_limit.absolute = 1MB",
        ...options.config ?? [],
        "",
      ].join("\n"),
    );
    const env = {
      HOME: folder,
      ERL_EPMD_PORT: String(epmd_port),
      RABBITMQ_NODENAME: `mdg${port}@localhost`,
      RABBITMQ_DIST_PORT: String(dist_port),
      RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/enabled_plugins`,
      RABBITMQ_MNESIA_BASE: `${folder}/data`,
      RABBITMQ_LOG_BASE: `${folder}/log`,
      RABBITMQ_PID_FILE: `${folder}/pid`,
      // Two schedulers are plenty, and idle ones must not spin.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 2:2 +sbwt none",
    };
    const epmd = new Deno.Command("epmd", {
      args: ["-port", String(epmd_port), "-address", "127.0.0.1"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const node = new RabbitmqNode(folder, env, port, stream_port, epmd, clock);
    try {
      await node.start();
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
    return node;
  }
  get url(): string {
    return `rabbitmq-stream://127.0.0.1:${this.stream_port}`;
  }
  /** Resolves when the stream port answers. */
  async start(): Promise<void> {
    this.#server = this.#command("rabbitmq-server", []).spawn();
    let ended = false;
    this.#server.status.then(() => ended = true);
    const give_up_ms = this.clock.monotonic_ms() + START_LIMIT_MS;
    while (!await answers(this.stream_port)) {
      if (ended || this.clock.monotonic_ms() > give_up_ms) {
        throw new Error(
          `start rabbitmq: ${ended ? "it ended at once" : `no answer in ${START_LIMIT_MS} ms`}`,
        );
      }
      await sleep(this.clock, POLL_MS);
    }
  }
  /** kill -9 of the broker itself. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const pid = Number((await Deno.readTextFile(`${this.folder}/pid`)).trim());
    Deno.kill(pid, "SIGKILL");
    await withDeadline(this.clock, 10_000, "end of rabbitmq", server.status);
  }
  /** Runs rabbitmqctl, or another tool of the broker; what it printed. Rejects when it fails. */
  async control(args: readonly string[], tool = "rabbitmqctl"): Promise<string> {
    const running = this.#command(tool, args, "piped").output();
    const { success, stdout, stderr } = await withDeadline(this.clock, CONTROL_LIMIT_MS, tool, running);
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    if (!success) throw new Error(`${tool} ${args.join(" ")}: ${text.trim()}`);
    return text;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {});
    this.epmd.kill("SIGKILL");
    await this.epmd.status;
    await Deno.remove(this.folder, { recursive: true });
  }

  #command(tool: string, args: readonly string[], output: "null" | "piped" = "null"): Deno.Command {
    return new Deno.Command(`${BEHIND_WRAPPER}/${tool}`, {
      args: [...args],
      env: this.env,
      stdin: "null",
      stdout: output,
      stderr: output,
    });
  }
}

/** Why there can be no node of our own; undefined when there can. */
export function rabbitmqMissing(): string | undefined {
  try {
    Deno.statSync(`${BEHIND_WRAPPER}/rabbitmq-server`);
    return undefined;
  } catch {
    return `rabbitmq: ${BEHIND_WRAPPER}/rabbitmq-server is not installed`;
  }
}

/** The stream port opens last: it answers only when the broker is up. */
export async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
