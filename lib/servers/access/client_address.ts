/**
 * Whose connection this is. `X-Forwarded-For` is believed only from configured proxies, read from the right: the first
 * address that is no proxy of ours is the client; what stands left of it was written by the client and means nothing.
 * For limits an IPv6 client counts as its /64, since it may pick any address in there.
 */
import { BlockList, isIP, isIPv4 } from "node:net";
import { quoted } from "../../base/errors.ts";

/** A longer list of hops is somebody's game. */
const MAX_HOPS = 32;
const MAX_HEADER_CHARS = 2_048;

/** "10.0.0.0/8", "fd00::/8" or one address. */
export function isAddressRange(text: string): boolean {
  const [address, bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @throws RangeError for what is no range; the schema has seen to that */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0;
    for (const range of ranges) {
      if (!isAddressRange(range)) {
        throw new RangeError(`trust ${quoted(range)}: want ADDRESS or ADDRESS/BITS`);
      }
      const [address, bits] = range.split("/");
      const family = isIPv4(address) ? "ipv4" : "ipv6";
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }
  has(address: string): boolean {
    return !this.#empty && this.#list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  }
  /** The client behind a connection from `remote_address`; `forwarded_for` is the header as it came. */
  clientOf(remote_address: string, forwarded_for: string | undefined): string {
    let client = plainAddress(remote_address) ?? remote_address;
    if (!forwarded_for || forwarded_for.length > MAX_HEADER_CHARS) return client;
    const hops = forwarded_for.split(",");
    for (let at = hops.length - 1, seen = 0; at >= 0 && seen < MAX_HOPS && this.has(client); at--, seen++) {
      const hop = plainAddress(hops[at].trim());
      // what a proxy of ours did not write properly leads nowhere: the limits are then the proxy's
      if (hop === undefined) break;
      client = hop;
    }
    return client;
  }
}

/** "1.2.3.4", "1.2.3.4:80", "[::1]:80", "::ffff:1.2.3.4" as a bare address; undefined for anything else. */
export function plainAddress(text: string): string | undefined {
  const bare = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/.exec(text)?.[1] ??
    /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(text)?.[1] ?? text;
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1] ?? bare;
  return isIP(mapped) === 0 ? undefined : mapped;
}

/** What limits count by: the address, of IPv6 its /64. */
export function limitKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head, tail] = address.split("%", 1)[0].split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const full = tail === undefined
    ? left
    : [...left, ...new Array(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return full.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(":") + "::/64";
}
