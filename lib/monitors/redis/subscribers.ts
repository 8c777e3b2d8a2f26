/**
 * Who is about to be cut off. Redis closes a subscriber whose output buffer passes the hard limit, or stays over the soft
 * limit for so many seconds (client-output-buffer-limit). CLIENT LIST tells the buffers; how long one is over the soft
 * limit no server tells, so it is watched here, from look to look.
 */
export interface BufferLimits {
  /** 0: none. */
  readonly hard_bytes: number;
  readonly soft_bytes: number;
  readonly soft_s: number;
}

export interface Subscriber {
  readonly id: string;
  readonly address: string;
  readonly name: string;
  readonly channels: number;
  readonly patterns: number;
  readonly buffer_bytes: number;
  readonly idle_s: number;
  /** Of the limit that is met first; absent without limits. */
  readonly limit_pct?: number;
  /** Over the soft limit for so long, as far as was seen. */
  readonly over_soft_s?: number;
  /** Until it is closed if its buffer stays as it is; never less than what is left. */
  readonly closes_in_s?: number;
}

/** `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60` → those of one class. */
export function limitsOf(setting: string, name: string): BufferLimits | undefined {
  const words = setting.trim().split(/\s+/);
  const at = words.indexOf(name);
  if (at < 0 || at % 4 !== 0) return undefined;
  const [hard_bytes, soft_bytes, soft_s] = words.slice(at + 1, at + 4).map(Number);
  return [hard_bytes, soft_bytes, soft_s].every(Number.isFinite)
    ? { hard_bytes, soft_bytes, soft_s }
    : undefined;
}

/** One line of CLIENT LIST. */
export function readClient(line: string): ReadonlyMap<string, string> {
  return new Map(
    line.split(" ").map((part) => {
      const at = part.indexOf("=");
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

export class SubscriberWatch {
  /** Client id → monotonic time when it was first seen over the soft limit. */
  #over_since_ms = new Map<string, number>();

  /** Subscribers of this list, the fullest first. */
  look(client_list: string, limits: BufferLimits | undefined, now_ms: number): Subscriber[] {
    const over_since_ms = new Map<string, number>();
    const found = client_list.split("\n").filter((line) => line !== "").map((line): Subscriber => {
      const client = readClient(line);
      const number = (name: string) => Number(client.get(name) ?? 0) || 0;
      const buffer_bytes = number("omem");
      const base = {
        id: client.get("id") ?? "",
        address: client.get("addr") ?? "",
        name: client.get("name") ?? "",
        channels: number("sub") + number("ssub"),
        patterns: number("psub"),
        buffer_bytes,
        idle_s: number("idle"),
      };
      if (!limits) return base;
      const { hard_bytes, soft_bytes, soft_s } = limits;
      const nearest = Math.min(hard_bytes || Infinity, soft_bytes || Infinity);
      const limit_pct = nearest === Infinity ? undefined : 100 * buffer_bytes / nearest;
      if (!(soft_bytes > 0 && buffer_bytes > soft_bytes)) return { ...base, limit_pct };
      const since_ms = this.#over_since_ms.get(base.id) ?? now_ms;
      over_since_ms.set(base.id, since_ms);
      const over_soft_s = (now_ms - since_ms) / 1_000;
      return { ...base, limit_pct, over_soft_s, closes_in_s: Math.max(0, soft_s - over_soft_s) };
    });
    this.#over_since_ms = over_since_ms;
    return found.toSorted((one, other) => other.buffer_bytes - one.buffer_bytes);
  }
}
