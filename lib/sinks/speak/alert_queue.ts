/**
 * Alerts that wait to be said: urgent before others, then in the order they came; of one matter only the newest. At the
 * bound the least urgent and oldest goes; what waited too long is never given out. A turn is all that one rule has to
 * say at one priority. Pure: time is told, and every alert ends in exactly one counted way.
 */
import { type Alert, rankOf } from "./alert.ts";

export type QueueLoss = "late" | "full";

export interface QueueOwner {
  /** A newer alert of the same matter took its place. */
  merged(alert: Alert): void;
  lost(alert: Alert, why: QueueLoss): void;
}

export interface Turn {
  /** One rule, one priority, in order; at least one. */
  readonly alerts: readonly Alert[];
  /** Further ones of this rule and priority that went at the bound since its last turn. */
  readonly lost: number;
}

export class AlertQueue {
  readonly #waiting = new Map<string, Alert>();
  /** Group → alerts lost at the bound since its last turn; bounded by rules × priorities. */
  readonly #lost = new Map<string, number>();

  constructor(readonly max_alerts: number, readonly max_age_ms: number, readonly owner: QueueOwner) {}

  get size(): number {
    return this.#waiting.size;
  }
  push(alert: Alert): void {
    const waiting = this.#waiting.get(alert.key);
    if (waiting) {
      this.owner.merged(waiting);
      // a matter that became more urgent moves to its new place; else it keeps its turn
      if (waiting.priority !== alert.priority) this.#waiting.delete(alert.key);
      this.#waiting.set(alert.key, alert);
      return;
    }
    if (this.#waiting.size >= this.max_alerts) {
      const victim = this.#leastUrgent();
      if (rankOf(victim.priority) < rankOf(alert.priority)) return this.#lose(alert);
      this.#waiting.delete(victim.key);
      this.#lose(victim);
    }
    this.#waiting.set(alert.key, alert);
  }
  /** What is to be said next; undefined when there is nothing any more. `remove` it when it is. */
  peek(now_ms: number): Turn | undefined {
    this.expire(now_ms);
    let first: Alert | undefined;
    for (const alert of this.#waiting.values()) {
      if (!first || rankOf(alert.priority) < rankOf(first.priority)) first = alert;
    }
    if (!first) return undefined;
    const group = groupOf(first);
    const alerts = [...this.#waiting.values()].filter((alert) => groupOf(alert) === group);
    return { alerts, lost: this.#lost.get(group) ?? 0 };
  }
  /** The turn, as `peek` gave it, is being said. */
  remove({ alerts }: Turn): void {
    for (const { key } of alerts) this.#waiting.delete(key);
    this.#lost.delete(groupOf(alerts[0]));
  }
  expire(now_ms: number): void {
    for (const [key, alert] of this.#waiting) {
      if (now_ms - alert.at_ms <= this.max_age_ms) continue;
      this.#waiting.delete(key);
      this.owner.lost(alert, "late");
    }
  }
  /** Empties it; the caller says why. */
  drain(): Alert[] {
    const alerts = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#lost.clear();
    return alerts;
  }

  #lose(alert: Alert): void {
    const group = groupOf(alert);
    this.#lost.set(group, (this.#lost.get(group) ?? 0) + 1);
    this.owner.lost(alert, "full");
  }
  #leastUrgent(): Alert {
    let worst: Alert | undefined;
    for (const alert of this.#waiting.values()) {
      if (!worst || rankOf(alert.priority) > rankOf(worst.priority)) worst = alert;
    }
    return worst!;
  }
}

function groupOf({ rule, priority }: Alert): string {
  return `${priority} ${rule}`;
}
