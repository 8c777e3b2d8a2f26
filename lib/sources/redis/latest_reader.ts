/**
 * Reads the latest books from their keys: of symbols that are named, and, where symbols are learnt, of all there are. A
 * book that came by its channel meanwhile is newer; the source then drops this one.
 */
import { RateLimitedLog } from "../../base/log.ts";
import { clusterSlot } from "../../wire/redis/cluster_slot.ts";
import type { RedisLink } from "../../wire/redis/redis_link.ts";
import type { ChannelPlan } from "./channel_plan.ts";
import type { InletOwner } from "./inlet.ts";

const SCAN_COUNT = 1_000;
/** Keys found by pattern; a keyspace full of strangers must not grow memory. */
const MAX_FOUND = 4_096;

export class LatestReader {
  /** Keys still to be read. */
  readonly #wanted = new Set<string>();
  #discover = false;
  #is_busy = false;
  #is_closed = false;
  readonly #log: RateLimitedLog;

  constructor(readonly link: () => RedisLink, readonly plan: ChannelPlan, readonly owner: InletOwner) {
    this.#log = new RateLimitedLog(owner.context.log, owner.context.clock);
  }
  want(symbol: string): void {
    this.#wanted.add(this.plan.latestKeyOf(symbol));
  }
  /** Whatever is there of symbols not known yet. */
  wantAll(): void {
    this.#discover = this.plan.learns;
  }
  /** Reads what is wanted, as far as it can now; single flight. */
  async read(): Promise<void> {
    if (this.#is_busy) return;
    this.#is_busy = true;
    while (this.#goesOn()) {
      if (this.#discover) {
        this.#discover = false;
        await this.#find();
      }
      await this.#get();
    }
    this.#is_busy = false;
  }
  close(): void {
    this.#is_closed = true;
  }

  #goesOn(): boolean {
    return !this.#is_closed && this.link().ready && (this.#discover || this.#wanted.size > 0);
  }
  async #get(): Promise<void> {
    const items = [...this.#wanted].map((key) => ({ key, slot: clusterSlot(key) }));
    this.#wanted.clear();
    if (items.length === 0) return;
    const answers = await this.link().send(items, (commands, { key }) => commands.command("GET", key));
    for (const [error, reply] of answers) {
      if (typeof reply === "string") this.owner.push(reply);
      if (error) this.#log.warn("latest", "latest book not read", { reason: this.link().reason(error) });
    }
  }
  async #find(): Promise<void> {
    for (const pattern of this.plan.latest_patterns) {
      let left = this.link().slots.map((slot) => ({ slot, cursor: "0" }));
      while (left.length > 0 && !this.#is_closed && this.#wanted.size < MAX_FOUND) {
        const answers = await this.link().send(left, (commands, { cursor }) => {
          commands.command("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
        });
        left = left.flatMap(({ slot }, i) => {
          const [error, reply] = answers[i];
          if (error) this.#log.warn("scan", "latest books not found", { reason: this.link().reason(error) });
          const [cursor, keys] = (error ? ["0", []] : reply) as [string, string[]];
          for (const key of keys) if (this.#wanted.size < MAX_FOUND) this.#wanted.add(key);
          return cursor === "0" ? [] : [{ slot, cursor }];
        });
      }
    }
  }
}
