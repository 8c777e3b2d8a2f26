/**
 * A RabbitMQ node of our own: its own name, ports, folder and epmd, so that it can be killed -9, filled up and started
 * again without touching any other node. Streams enabled, guest/guest from this machine. It runs apart from us, so that
 * several tests may share it; a watchman ends it and removes its folder when we are gone, however we went.
 */
import { type Clock, sleep, withDeadline } from "../../lib/base/clock.ts";
import { StreamBroker } from "../../lib/wire/rabbitmq_stream/broker.ts";
import { Key } from "../../lib/wire/rabbitmq_stream/protocol.ts";
import { StreamSession } from "../../lib/wire/rabbitmq_stream/session.ts";
import { freePort } from "./daemon.ts";

/** Debian's wrapper on PATH changes the user; the script behind it runs as whoever we are. */
const BEHIND_WRAPPER = "/usr/lib/rabbitmq/bin";
const START_LIMIT_MS = 60_000;
const KILL_LIMIT_MS = 10_000;
const CONTROL_LIMIT_MS = 60_000;
const POLL_MS = 100;

export interface NodeOptions {
  /** Lines of rabbitmq.conf beside ours. */
  readonly config?: readonly string[];
}

/** $1: the process to outlive by at most a second. Ends by itself when the folder is gone. */
const WATCHMAN = `
epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >/dev/null 2>&1 &
epmd_pid=$!
while kill -0 "$1" 2>/dev/null && test -e "$HOME"; do sleep 1; done
test -e "$HOME" && kill -9 "$(cat "$RABBITMQ_PID_FILE")" 2>/dev/null
kill -9 $epmd_pid
rm -rf "$HOME"
`;

export class RabbitmqNode implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly env: Record<string, string>,
    readonly port: number,
    readonly stream_port: number,
    readonly clock: Clock,
  ) {}

  static async start(clock: Clock, options: NodeOptions = {}): Promise<RabbitmqNode> {
    const missing = rabbitmqMissing();
    if (missing !== undefined) throw new Error(missing);
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
    const node = new RabbitmqNode(folder, env, port, stream_port, clock);
    await node.#inBackground("sh", ["-c", WATCHMAN, "watchman", String(Deno.pid)]);
    try {
      await node.start();
      await node.#settle();
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
    await this.#inBackground(`${BEHIND_WRAPPER}/rabbitmq-server`, []);
    await this.#until("start rabbitmq", START_LIMIT_MS, () => answers(this.stream_port));
  }
  /** Starts it unless it runs. */
  async running(): Promise<void> {
    if (!await answers(this.stream_port)) await this.start();
  }
  /** kill -9 of the broker itself. */
  async kill(): Promise<void> {
    const pid = Number((await Deno.readTextFile(`${this.folder}/pid`)).trim());
    Deno.kill(pid, "SIGKILL");
    await this.#until("kill rabbitmq", KILL_LIMIT_MS, async () => !await answers(this.stream_port));
  }
  /** Runs rabbitmqctl, or another tool of the broker; what it printed. Rejects when it fails. */
  async control(args: readonly string[], tool = "rabbitmqctl"): Promise<string> {
    const running = this.#command(tool, args).output();
    const { success, stdout, stderr } = await withDeadline(this.clock, CONTROL_LIMIT_MS, tool, running);
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    if (!success) throw new Error(`${tool} ${args.join(" ")}: ${text.trim()}`);
    return text;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {});
    // The watchman sees it, and goes.
    await Deno.remove(this.folder, { recursive: true });
  }

  /**
   * As a broker is that has run for a while. The first stream of a node starts its stream coordinator, which RabbitMQ 3.10
   * enters in a file only minutes later: killed before, it comes back without it and its streams are "not available".
   */
  async #settle(): Promise<void> {
    const broker = new StreamBroker(
      {
        url: this.url,
        mechanism: "PLAIN",
        heartbeat_s: 0,
        connect_timeout_ms: CONTROL_LIMIT_MS,
        request_timeout_ms: CONTROL_LIMIT_MS,
      },
      this.clock,
      "mdg test node",
    );
    const session = await StreamSession.open(await broker.open(), broker.session, { onClosed() {} });
    await session.request("create a stream", Key.create, (frame) => frame.string("first-of-node").map({}));
    await session.request("delete it", Key.delete, (frame) => frame.string("first-of-node"));
    await session.close();
    await this.control(["eval", "[dets:sync(Table) || Table <- dets:all()]."]);
  }
  async #until(what: string, limit_ms: number, holds: () => Promise<boolean>): Promise<void> {
    const give_up_ms = this.clock.monotonic_ms() + limit_ms;
    while (!await holds()) {
      if (this.clock.monotonic_ms() > give_up_ms) throw new Error(`${what}: not done within ${limit_ms} ms`);
      await sleep(this.clock, POLL_MS);
    }
  }
  /** A process that is not our child: no test that ends may be blamed for it. */
  async #inBackground(program: string, args: readonly string[]): Promise<void> {
    await new Deno.Command("sh", {
      args: ["-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", program, ...args],
      env: this.env,
    }).output();
  }
  #command(tool: string, args: readonly string[]): Deno.Command {
    return new Deno.Command(`${BEHIND_WRAPPER}/${tool}`, {
      args: [...args],
      env: this.env,
      stdin: "null",
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
