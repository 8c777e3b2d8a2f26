/**
 * Who goes first. From 80 % of the budget: the lowest class that holds anything, largest first. From 90 %: whoever holds
 * most, weighed by how far their tenant is over its equal share; classes decide between equals only. Pure.
 */
import type { GuardedClient } from "../memory_guard.ts";

/** Class by class: lowest first, then largest first. */
export function byClass(clients: readonly GuardedClient[]): GuardedClient[] {
  return holders(clients).sort((a, b) =>
    a.priority - b.priority || b.held_bytes - a.held_bytes || compareIds(a, b)
  );
}

/** Size × how many times its equal share the tenant holds (at least once). */
export function byShare(
  clients: readonly GuardedClient[],
  tenant_bytes: ReadonlyMap<string, number>,
): GuardedClient[] {
  let total_bytes = 0;
  let holding = 0;
  for (const bytes of tenant_bytes.values()) {
    if (bytes <= 0) continue;
    total_bytes += bytes;
    holding++;
  }
  const share_bytes = Math.max(1, total_bytes / Math.max(1, holding));
  const weight = ({ tenant, held_bytes }: GuardedClient) =>
    held_bytes * Math.max(1, (tenant_bytes.get(tenant) ?? 0) / share_bytes);
  return holders(clients)
    .map((client) => ({ client, weight: weight(client) }))
    .sort((a, b) =>
      b.weight - a.weight || a.client.priority - b.client.priority || compareIds(a.client, b.client)
    )
    .map(({ client }) => client);
}

function holders(clients: readonly GuardedClient[]): GuardedClient[] {
  return clients.filter((client) => client.held_bytes > 0);
}

function compareIds(a: GuardedClient, b: GuardedClient): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
