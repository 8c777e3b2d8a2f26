/**
 * What the protocol's rules ("Keeping a book" in servers/restream/README.md) make of the messages of one book, in levels
 * or in orders: right, or not to be used and why. What was right when a connection ended stays as a base: `resumed` goes
 * on with it, a snapshot replaces it.
 */
import { UnreadableMessage } from "./messages.ts";

/**
 * waiting: a snapshot must come. right: use it. parted: it was right when the connection ended. replaying: what was
 * missed is coming, up to `#replay_to`.
 */
type State = "waiting" | "right" | "parted" | "replaying";

export interface KeptMessage {
  readonly seq: number;
  readonly last_update_id: number;
  readonly timestamp: number;
}

export abstract class KeptState<Message extends KeptMessage> {
  /** Why it is not in sync; "" while it is. */
  reason = "no snapshot yet";
  /** Depth and interval that it was subscribed with: the sequence is theirs. */
  variant = "";
  seq = 0;
  last_update_id = 0;
  /** Unix epoch, milliseconds. */
  timestamp = 0;
  #state: State = "waiting";
  #replay_to = 0;

  constructor(readonly venue: string, readonly symbol: string, readonly is_kept: boolean) {}

  /** Only then may it be used. */
  get in_sync(): boolean {
    return this.#state === "right";
  }
  /** A resume may continue it. */
  get resumable(): boolean {
    return this.#state === "parted" && this.is_kept;
  }

  /** False: it belongs to nothing that is kept. @throws UnreadableMessage where one is missing, which can't be */
  take(message: Message): boolean {
    if (!this.isWhole(message)) {
      if (this.#state === "waiting" || this.#state === "parted") return false;
      if (message.seq !== this.seq + 1) {
        const what = `seq ${message.seq} of ${this.symbol} follows ${this.seq}`;
        this.lose("sequence broken");
        throw new UnreadableMessage(what);
      }
    }
    this.lay(message);
    this.seq = message.seq;
    this.last_update_id = message.last_update_id;
    this.timestamp = message.timestamp;
    const is_behind = this.#state === "replaying" && this.seq < this.#replay_to;
    this.#state = is_behind ? "replaying" : "right";
    this.reason = is_behind ? "replaying" : "";
    return true;
  }
  /** Not to be used until a snapshot comes. False: it was not usable before either. */
  lose(reason: string): boolean {
    const was_usable = this.#state === "right";
    this.#state = "waiting";
    this.reason = reason;
    return was_usable;
  }
  /** The connection ended. */
  part(reason: string): boolean {
    const was_usable = this.#state === "right";
    if (this.#state === "replaying") this.#state = "waiting";
    if (was_usable) this.#state = "parted";
    this.reason = reason;
    return was_usable;
  }
  /** What was missed follows. @throws UnreadableMessage where it does not begin where we are */
  resume(from_seq: number, to_seq: number): void {
    if (this.#state !== "parted" || from_seq !== this.seq + 1) {
      this.lose("resume broken");
      throw new UnreadableMessage(`resumed from seq ${from_seq}, want ${this.seq + 1}`);
    }
    const is_behind = to_seq > this.seq;
    this.#replay_to = to_seq;
    this.#state = is_behind ? "replaying" : "right";
    this.reason = is_behind ? "replaying" : "";
  }

  protected abstract isWhole(message: Message): boolean;
  /** The whole, or the next change, over what is kept. */
  protected abstract lay(message: Message): void;
}
