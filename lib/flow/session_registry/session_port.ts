/**
 * Sessions across threads. A worker serves its own registry on a message port; the main thread asks by the same port.
 * Messages are plain data with a number; an answer nobody waits for any more is dropped. Questions under way are
 * bounded; the deadline is the asking registry's.
 */
import { reasonOf } from "../../base/errors.ts";
import type {
  RemoteSessions,
  SessionClose,
  SessionPage,
  SessionQuery,
  Sessions,
} from "../session_registry.ts";
import type { LocalSessions } from "./local_sessions.ts";

/** A MessagePort, a Worker or a worker's own scope: what can be spoken through. */
export interface SessionPort {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

type Question =
  | { sessions: "list"; number: number; query: SessionQuery }
  | { sessions: "kick"; number: number; id: string; reason: string };
type Reply =
  | { sessions: "answer"; number: number; page?: SessionPage; kicked?: boolean; failed?: string }
  | { sessions: "closed"; close: SessionClose };
type Answer = Extract<Reply, { sessions: "answer" }>;

const MAX_WAITING = 64;

/** In the worker: answers for its registry, and tells of each close. Returns how to stop. */
export function serveSessions(registry: LocalSessions, port: SessionPort): () => void {
  const onMessage = ({ data }: MessageEvent) => {
    const question = data as Question;
    const say = (reply: Omit<Answer, "sessions" | "number">) =>
      port.postMessage({ sessions: "answer", number: question.number, ...reply });
    try {
      if (question?.sessions === "list") say({ page: registry.listHere(question.query) });
      else if (question?.sessions === "kick") {
        say({ kicked: registry.kickHere(question.id, question.reason) });
      }
    } catch (error) {
      say({ failed: reasonOf(error) });
    }
  };
  port.addEventListener("message", onMessage);
  registry.onClose = (close) => port.postMessage({ sessions: "closed", close });
  return () => {
    port.removeEventListener("message", onMessage);
    registry.onClose = undefined;
  };
}

/** In the main thread: a worker's sessions. Its closes go to `registry`, which asks it from now on. */
export class WorkerSessions implements RemoteSessions, Disposable {
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #remove: () => void;
  #number = 0;

  constructor(readonly name: string, readonly port: SessionPort, readonly registry: Sessions) {
    port.addEventListener("message", this.#onMessage);
    this.#remove = registry.addRemote(this);
  }
  async list(query: SessionQuery): Promise<SessionPage> {
    const { page } = await this.#ask((number) => ({ sessions: "list", number, query }));
    return page!;
  }
  async kick(id: string, reason: string): Promise<boolean> {
    const { kicked } = await this.#ask((number) => ({ sessions: "kick", number, id, reason }));
    return kicked === true;
  }
  [Symbol.dispose](): void {
    this.#remove();
    this.port.removeEventListener("message", this.#onMessage);
    for (const number of [...this.#waiting.keys()]) this.#giveUp(number, "the worker is gone");
  }

  async #ask(question: (number: number) => Question): Promise<Answer> {
    // A worker that answers no more must not gather questions: the oldest has had its deadline long ago.
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= MAX_WAITING) this.#giveUp(oldest, "too many questions wait");
    const number = ++this.#number;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(number, waiting);
    this.port.postMessage(question(number));
    const answer = await waiting.promise;
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return answer;
  }
  #giveUp(number: number, reason: string): void {
    this.#waiting.get(number)?.resolve({ sessions: "answer", number, failed: reason });
    this.#waiting.delete(number);
  }
  readonly #onMessage = ({ data }: MessageEvent) => {
    const reply = data as Reply;
    if (reply?.sessions === "closed") return this.registry.noteClose(reply.close);
    if (reply?.sessions !== "answer") return;
    this.#waiting.get(reply.number)?.resolve(reply);
    this.#waiting.delete(reply.number);
  };
}
