/** What the Sentinels say: which server is the master now, which are its replicas, and whether they agree. */
import type { Clock } from "../../base/clock.ts";
import { withDeadline } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { type HostPort, RedisConnection } from "../../wire/redis/redis_connection.ts";
import type { RedisAddress } from "../../wire/redis/redis_link.ts";
import { RespWriter } from "../../wire/redis/resp_writer.ts";
import type { WatchedNode } from "./node_set.ts";
import type { SentinelSample } from "./sample.ts";
import { fieldsOf } from "./topology.ts";
import { untilReady } from "./until_ready.ts";

export interface SentinelView {
  readonly sentinels: readonly SentinelSample[];
  /** The master first; empty when no Sentinel knows one. */
  readonly nodes: readonly WatchedNode[];
}

export class Sentinels {
  readonly #connections: readonly RedisConnection[];

  constructor(
    readonly address: RedisAddress,
    places: readonly HostPort[],
    readonly clock: Clock,
    readonly timeout_ms: number,
  ) {
    const { sentinel_username: username, sentinel_password: password } = address;
    const url = new URL(address.url);
    url.username = url.password = url.pathname = "";
    const own: RedisAddress = {
      ...address,
      topology: "single",
      nodes: [],
      url: url.href,
      username,
      password,
    };
    const context = { name: "sentinel", clock, log: silentLog, seed: crypto.randomUUID(), onReady: () => {} };
    this.#connections = places.map((node) => new RedisConnection(own, context, { node }));
  }
  async look(): Promise<SentinelView> {
    const views = await Promise.all(this.#connections.map((one) => this.#ask(one)));
    const sentinels = views.map(({ sentinel }) => sentinel);
    // They may differ during a failover: what most of them say counts.
    const votes = Map.groupBy(
      views.filter(({ nodes }) => nodes.length > 0),
      ({ sentinel }) => sentinel.master,
    );
    const [most] = [...votes.values()].toSorted((one, other) => other.length - one.length);
    return { sentinels, nodes: most?.[0].nodes ?? [] };
  }
  async close(): Promise<void> {
    await Promise.all(this.#connections.map((one) => one.close()));
  }

  async #ask(
    connection: RedisConnection,
  ): Promise<{ sentinel: SentinelSample; nodes: readonly WatchedNode[] }> {
    const { address } = connection;
    const { master_name } = this.address;
    const given_up = new AbortController();
    try {
      const work = this.#answers(connection, master_name, given_up.signal);
      const [master, replicas] = await withDeadline(
        this.clock,
        this.timeout_ms,
        `ask sentinel at ${address}`,
        work,
      );
      const fields = fieldsOf(master);
      const number = (name: string) => fields.has(name) ? Number(fields.get(name)) : undefined;
      const place = { host: fields.get("ip") ?? "", port: number("port") ?? 0 };
      const others = (Array.isArray(replicas) ? replicas : []).map(fieldsOf)
        .map((one): WatchedNode => ({
          place: { host: one.get("ip") ?? "", port: Number(one.get("port") ?? 0) },
          role: "replica",
        })).filter(({ place: { host, port } }) => host !== "" && port > 0);
      return {
        sentinel: {
          address,
          up: true,
          master: `${place.host}:${place.port}`,
          known_replicas: number("num-slaves"),
          known_sentinels: number("num-other-sentinels"),
          quorum: number("quorum"),
          master_down: /[so]_down/.test(fields.get("flags") ?? ""),
        },
        nodes: [{ place, role: "master" }, ...others],
      };
    } catch (error) {
      const reason = connection.notReady() ?? connection.reason(error);
      return { sentinel: { address, up: false, reason }, nodes: [] };
    } finally {
      given_up.abort();
    }
  }
  async #answers(connection: RedisConnection, master_name: string, signal: AbortSignal): Promise<unknown[]> {
    await untilReady(connection, this.clock, signal);
    const commands = new RespWriter().command("SENTINEL", "MASTER", master_name)
      .command("SENTINEL", "REPLICAS", master_name);
    return (await connection.exec(commands)).map(([error, value]) => {
      if (error) throw error;
      return value;
    });
  }
}
