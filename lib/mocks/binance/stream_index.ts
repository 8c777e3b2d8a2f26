/** Which sessions carry a stream. Only subscriptions on the right route are entered: the others stay silent by nature. */
import type { Session } from "./session.ts";

const NONE: ReadonlySet<Session> = new Set();

export class StreamIndex {
  readonly #sessions = new Map<string, Set<Session>>();

  of(stream: string): ReadonlySet<Session> {
    return this.#sessions.get(stream) ?? NONE;
  }
  add(stream: string, session: Session): void {
    const known = this.#sessions.get(stream);
    if (known) known.add(session);
    else this.#sessions.set(stream, new Set([session]));
  }
  remove(stream: string, session: Session): void {
    const known = this.#sessions.get(stream);
    known?.delete(session);
    if (known?.size === 0) this.#sessions.delete(stream);
  }
}
