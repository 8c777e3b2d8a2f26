/** Opens the way to Redis that an address asks for. Returns at once; the link connects by itself. */
import { RedisCluster } from "./redis_cluster.ts";
import { RedisConnection } from "./redis_connection.ts";
import type { RedisAddress, RedisContext, RedisLink } from "./redis_link.ts";

export function openRedis(address: RedisAddress, context: RedisContext): RedisLink {
  return address.topology === "cluster"
    ? new RedisCluster(address, context)
    : new RedisConnection(address, context);
}
