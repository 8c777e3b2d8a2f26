/**
 * Who owns which slot of a Cluster, as its nodes tell by CLUSTER SLOTS and by redirections. Pure: answers in, owners out;
 * `version` tells whether anything moved in between.
 */
import { CLUSTER_SLOTS } from "./cluster_slot.ts";
import type { HostPort } from "./redis_connection.ts";

/** A Cluster has at most about a thousand nodes. */
const MAX_NODES = 2_048;

export interface Redirection {
  kind: "MOVED" | "ASK";
  slot: number;
  node: string;
}

export const nodeKey = ({ host, port }: HostPort) => `${host}:${port}`;

export class ClusterTopology {
  /** Node key → where it is; masters and replicas. */
  readonly nodes = new Map<string, HostPort>();
  readonly #owners: (string | undefined)[] = new Array(CLUSTER_SLOTS).fill(undefined);
  #masters: readonly string[] = [];
  #uncovered = CLUSTER_SLOTS;
  /** Rises whenever a slot changes hands. */
  version = 0;

  get masters(): readonly string[] {
    return this.#masters;
  }
  /** Slots that nobody owns. */
  get uncovered(): number {
    return this.#uncovered;
  }
  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }
  /** One slot of each master. */
  firstSlots(): number[] {
    return this.#masters.map((master) => this.#owners.indexOf(master));
  }
  /** Takes the answer to CLUSTER SLOTS of the node at `asked`; false when it is no such answer, and then changes nothing. */
  adopt(answer: unknown, asked: HostPort): boolean {
    const owners: (string | undefined)[] = new Array(CLUSTER_SLOTS).fill(undefined);
    const nodes = new Map<string, HostPort>();
    if (!Array.isArray(answer)) return false;
    for (const range of answer) {
      if (!Array.isArray(range)) return false;
      const [first, last, ...serving] = range as unknown[];
      if (!isSlot(first) || !isSlot(last)) return false;
      const places = serving.map((one) => placeOf(one, asked)).filter((one) => one !== undefined);
      for (const place of places) nodes.set(nodeKey(place), place);
      if (places.length > 0) owners.fill(nodeKey(places[0]), first, last + 1);
    }
    if (nodes.size > MAX_NODES) return false;
    this.nodes.clear();
    for (const [key, place] of nodes) this.nodes.set(key, place);
    let changed = false;
    for (let slot = 0; slot < CLUSTER_SLOTS; slot++) {
      if (this.#owners[slot] === owners[slot]) continue;
      this.#owners[slot] = owners[slot];
      changed = true;
    }
    if (changed) this.#count();
    return true;
  }
  /** A node said that this slot is another's now. */
  moved({ slot, node }: Redirection, place: HostPort): void {
    this.nodes.set(node, place);
    if (this.#owners[slot] === node) return;
    this.#owners[slot] = node;
    this.#count();
  }
  #count(): void {
    this.version++;
    const owners = new Set(this.#owners);
    owners.delete(undefined);
    this.#masters = [...owners] as string[];
    this.#uncovered = this.#owners.reduce((sum, owner) => sum + (owner === undefined ? 1 : 0), 0);
  }
}

/** `MOVED 3999 127.0.0.1:6381` or `ASK …` as a redirection; an empty host is that of the node which answered. */
export function redirectionOf(error: Error, asked: HostPort): Redirection & { place: HostPort } | undefined {
  const match = /^(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})$/.exec(error.message);
  if (!match || !isSlot(Number(match[2]))) return undefined;
  const place = { host: match[3] || asked.host, port: Number(match[4]) };
  return { kind: match[1] as "MOVED" | "ASK", slot: Number(match[2]), node: nodeKey(place), place };
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < CLUSTER_SLOTS;
}

/** `[host, port, id, metadata]`; host is empty or null where the node does not know its own. */
function placeOf(value: unknown, asked: HostPort): HostPort | undefined {
  if (!Array.isArray(value) || typeof value[1] !== "number") return undefined;
  const host = typeof value[0] === "string" && value[0] !== "" && value[0] !== "?" ? value[0] : asked.host;
  return { host, port: value[1] };
}
