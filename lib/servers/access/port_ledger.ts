/**
 * A ledger on the other side of a message port: Workers that serve clients have one, the main thread keeps it. Requests
 * carry an id and a deadline and are bounded in number; a place that is granted after its asker gave up goes back. Whoever
 * serves a port gives back all of its places when the Worker behind it is gone.
 */
import type { Clock } from "../../base/clock.ts";
import type { Drawn, QuotaLedger } from "./quota_ledger.ts";

/** A MessagePort, a Worker, or a Worker's own scope. */
export interface LedgerPort {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  start?(): void;
}

type Question =
  | { ledger: "acquire"; id: number; tenant: string; max: number }
  | { ledger: "draw"; id: number; tenant: string; want: number; max: number }
  | { ledger: "release"; tenant: string };
type Answer =
  | { ledger: "acquired"; id: number; ok: boolean }
  | { ledger: "drawn"; id: number; bytes: number; retry_after_ms: number }
  | { ledger: "failed"; id: number };

const DEADLINE_MS = 2_000;
const MAX_WAITING = 1_000;
/** Places that may still be granted although nobody waits for them. */
const MAX_GIVEN_UP = 10_000;

/** Answers what comes through `port` from `ledger`. The returned function stops that and gives back every place. */
export function serveLedger(port: LedgerPort, ledger: QuotaLedger): () => void {
  const held = new Map<string, number>();
  let open = true;
  const count = (tenant: string, by: number) => {
    const now = (held.get(tenant) ?? 0) + by;
    if (now > 0) held.set(tenant, now);
    else held.delete(tenant);
  };
  const answer = async (question: Question) => {
    const { tenant } = question;
    if (question.ledger === "release") {
      if (!held.has(tenant)) return;
      count(tenant, -1);
      ledger.release(tenant);
      return;
    }
    const { id } = question;
    try {
      if (question.ledger === "acquire") {
        const ok = await ledger.acquire(tenant, question.max);
        if (ok && !open) ledger.release(tenant);
        if (ok && open) count(tenant, 1);
        if (open) port.postMessage({ ledger: "acquired", id, ok } satisfies Answer);
      } else {
        const drawn = await ledger.draw(tenant, question.want, question.max);
        if (open) port.postMessage({ ledger: "drawn", id, ...drawn } satisfies Answer);
      }
    } catch {
      if (open) port.postMessage({ ledger: "failed", id } satisfies Answer);
    }
  };
  const onMessage = ({ data }: MessageEvent) => {
    if (isOneOf(data, ["acquire", "draw", "release"])) void answer(data as Question);
  };
  port.addEventListener("message", onMessage);
  port.start?.();
  return () => {
    if (!open) return;
    open = false;
    port.removeEventListener("message", onMessage);
    for (const [tenant, places] of held) for (let i = 0; i < places; i++) ledger.release(tenant);
    held.clear();
  };
}

interface Waiting {
  readonly tenant: string;
  settle(answer: Answer | undefined): void;
}

/** The ledger behind `port`. Disposing it leaves the port open. */
export function portLedger(port: LedgerPort, clock: Clock, deadline_ms = DEADLINE_MS): QuotaLedger {
  const waiting = new Map<number, Waiting>();
  /** Id → tenant of an `acquire` whose asker gave up. */
  const given_up = new Map<number, string>();
  let next_id = 1;
  const onMessage = ({ data }: MessageEvent) => {
    if (!isOneOf(data, ["acquired", "drawn", "failed"])) return;
    const answer = data as Answer;
    const late = given_up.get(answer.id);
    given_up.delete(answer.id);
    if (late !== undefined && answer.ledger === "acquired" && answer.ok) release(late);
    waiting.get(answer.id)?.settle(answer);
  };
  const release = (tenant: string) => port.postMessage({ ledger: "release", tenant } satisfies Question);
  const ask = (tenant: string, question: (id: number) => Question): Promise<Answer> => {
    if (waiting.size >= MAX_WAITING) {
      return Promise.reject(new Error("ask for quota: too many questions open"));
    }
    const id = next_id++;
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer | undefined) => {
        timer.cancel();
        waiting.delete(id);
        if (answer && answer.ledger !== "failed") return resolve(answer);
        if (!answer && given_up.size < MAX_GIVEN_UP) given_up.set(id, tenant);
        reject(
          new Error(answer ? "ask for quota: not known" : `ask for quota: no answer in ${deadline_ms} ms`),
        );
      };
      const timer = clock.after(deadline_ms, () => settle(undefined));
      waiting.set(id, { tenant, settle });
      port.postMessage(question(id));
    });
  };
  port.addEventListener("message", onMessage);
  port.start?.();
  return {
    async acquire(tenant, max) {
      const answer = await ask(tenant, (id) => ({ ledger: "acquire", id, tenant, max }));
      return answer.ledger === "acquired" && answer.ok;
    },
    release,
    async draw(tenant, want, max): Promise<Drawn> {
      const answer = await ask(tenant, (id) => ({ ledger: "draw", id, tenant, want, max }));
      if (answer.ledger !== "drawn") return { bytes: 0, retry_after_ms: deadline_ms };
      return { bytes: answer.bytes, retry_after_ms: answer.retry_after_ms };
    },
    [Symbol.asyncDispose]() {
      for (const one of waiting.values()) one.settle(undefined);
      port.removeEventListener("message", onMessage);
      return Promise.resolve();
    },
  };
}

/** Other users of the same port have other words. */
function isOneOf(data: unknown, words: readonly string[]): boolean {
  const word = (data as { ledger?: unknown } | null | undefined)?.ledger;
  return typeof word === "string" && words.includes(word);
}
