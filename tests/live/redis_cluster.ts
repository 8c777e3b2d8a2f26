/**
 * A Redis Cluster of one's own: three masters and a replica each, on free ports and one folder, whose nodes may be killed
 * and started again and whose slots may be moved. For tests that break it; so it is never shared.
 */
import { Redis } from "ioredis";
import { type Clock, sleep } from "../../lib/base/clock.ts";
import { freePort } from "../../scripts/services/daemon.ts";

const MASTERS = 3;
const SLOTS = 16_384;
const READY_LIMIT_MS = 20_000;
const POLL_MS = 20;
/** After so long without an answer a node is taken for dead; failover follows within about twice that. */
const NODE_TIMEOUT_MS = 1_000;

interface Node {
  readonly port: number;
  readonly client: Redis;
  process: Deno.ChildProcess | undefined;
  id: string;
}

export class RedisClusterServers implements AsyncDisposable {
  readonly #nodes: Node[] = [];
  private constructor(readonly program: string, readonly folder: string, readonly clock: Clock) {}

  static async start(program: string, clock: Clock): Promise<RedisClusterServers> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-redis-cluster-" });
    const service = new RedisClusterServers(program, folder, clock);
    try {
      await service.#create();
    } catch (error) {
      await service[Symbol.asyncDispose]();
      throw error;
    }
    return service;
  }
  /** The address of the first master. */
  get url(): string {
    return `redis://127.0.0.1:${this.#nodes[0].port}`;
  }
  /** "host:port" of all nodes, masters first. */
  get addresses(): string[] {
    return this.#nodes.map(({ port }) => `127.0.0.1:${port}`);
  }
  /** A client of the i-th node; 0 … 2 began as masters, 3 … 5 as their replicas. */
  client(i: number): Redis {
    return this.#nodes[i].client;
  }
  /** kill -9. */
  async kill(i: number): Promise<void> {
    const { process } = this.#nodes[i];
    process!.kill("SIGKILL");
    await process!.status;
    this.#nodes[i].process = undefined;
  }
  signal(i: number, name: Deno.Signal): void {
    this.#nodes[i].process!.kill(name);
  }
  /** Starts a killed node again; it finds its place from its own file. */
  async revive(i: number): Promise<void> {
    await this.#startNode(this.#nodes[i], i);
  }
  /** Resolves when the replica of master `i` is master itself. */
  async failedOver(i: number): Promise<void> {
    await this.#until("failover", async () => {
      const role = await this.#nodes[MASTERS + i].client.role() as unknown[];
      return role[0] === "master" && await this.#isWhole(MASTERS + i);
    });
  }
  /** Moves one slot with all its keys from one master to another, as redis-cli's reshard does. */
  async moveSlot(slot: number, from: number, to: number): Promise<void> {
    const [source, target] = [this.#nodes[from], this.#nodes[to]];
    await target.client.cluster("SETSLOT", slot, "IMPORTING", source.id);
    await source.client.cluster("SETSLOT", slot, "MIGRATING", target.id);
    for (;;) {
      const keys = await source.client.cluster("GETKEYSINSLOT", slot, 100) as string[];
      if (keys.length === 0) break;
      await source.client.migrate("127.0.0.1", target.port, "", 0, 5_000, "KEYS", ...keys);
    }
    for (const node of [target, source, ...this.#nodes.slice(0, MASTERS)]) {
      await node.client.cluster("SETSLOT", slot, "NODE", target.id);
    }
    // A master that has not yet heard of the others' epochs would claim its next slot with too low a one, and lose it.
    await this.#until("agreement", async () => {
      const views = await Promise.all(
        this.#nodes.slice(0, MASTERS).map(({ client }) => this.#epochs(client)),
      );
      return views.every((view) => view === views[0]);
    });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) {
      node.client.disconnect();
      if (node.client.stream?.destroyed) node.client.stream.emit("close");
      node.process?.kill("SIGKILL");
      await node.process?.status;
    }
    await Deno.remove(this.folder, { recursive: true });
  }

  async #create(): Promise<void> {
    for (let i = 0; i < 2 * MASTERS; i++) {
      const port = freeClusterPort();
      this.#nodes.push({ port, client: clientOf(port), process: undefined, id: "" });
    }
    await Promise.all(this.#nodes.map((node, i) => this.#startNode(node, i)));
    for (const [i, node] of this.#nodes.entries()) {
      node.id = await node.client.cluster("MYID") as string;
      await node.client.cluster("SET-CONFIG-EPOCH", i + 1);
      if (i < MASTERS) {
        const first = Math.ceil(i * SLOTS / MASTERS);
        const last = Math.ceil((i + 1) * SLOTS / MASTERS) - 1;
        await node.client.cluster("ADDSLOTSRANGE", first, last);
      }
      if (i > 0) await node.client.cluster("MEET", "127.0.0.1", this.#nodes[0].port);
    }
    for (let i = 0; i < MASTERS; i++) {
      const { client } = this.#nodes[MASTERS + i];
      await this.#until("replica", async () => {
        const answer = await client.cluster("REPLICATE", this.#nodes[i].id).catch(() => "not known yet");
        return answer === "OK";
      });
    }
    await this.#until("cluster", async () => {
      const whole = await Promise.all(this.#nodes.map((_, i) => this.#isWhole(i)));
      const links = await Promise.all(
        this.#nodes.slice(MASTERS).map(({ client }) => client.info("replication")),
      );
      return whole.every(Boolean) && links.every((text) => text.includes("master_link_status:up"));
    });
  }
  /** What this node believes of the masters' epochs, as text. */
  async #epochs(client: Redis): Promise<string> {
    const lines = (await client.cluster("NODES") as string).trim().split("\n").map((line) => line.split(" "));
    return lines.filter(([, , flags]) => flags.includes("master")).map((words) => `${words[0]} ${words[6]}`)
      .sort().join();
  }
  async #isWhole(i: number): Promise<boolean> {
    const text = await this.#nodes[i].client.cluster("INFO") as string;
    return text.includes("cluster_state:ok") && text.includes(`cluster_known_nodes:${2 * MASTERS}`);
  }
  async #startNode(node: Node, i: number): Promise<void> {
    const settings: Record<string, string> = {
      port: String(node.port),
      bind: "127.0.0.1",
      dir: this.folder,
      save: "",
      appendonly: "no",
      "cluster-enabled": "yes",
      "cluster-config-file": `nodes-${i}.conf`,
      "cluster-node-timeout": String(NODE_TIMEOUT_MS),
      "cluster-replica-validity-factor": "0",
      // A replica starts to copy at once instead of after 5 s.
      "repl-diskless-sync-delay": "0",
    };
    node.process = new Deno.Command(this.program, {
      args: Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await this.#until(`node on port ${node.port}`, async () => await node.client.ping() === "PONG");
  }
  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const late_ms = this.clock.monotonic_ms() + READY_LIMIT_MS;
    while (!await holds().catch(() => false)) {
      if (this.clock.monotonic_ms() > late_ms) {
        throw new Error(`wait for ${what}: not so after ${READY_LIMIT_MS} ms`);
      }
      await sleep(this.clock, POLL_MS);
    }
  }
}

function clientOf(port: number): Redis {
  const client = new Redis({
    port,
    protocol: 2,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => POLL_MS,
  });
  client.on("error", () => {});
  return client;
}

/** Nodes talk to each other on the port 10,000 above. */
function freeClusterPort(): number {
  for (;;) {
    const port = freePort();
    if (port <= 55_000) return port;
  }
}
