/**
 * Coinbase's `sequence_num`, by which a lost message shows. That it counts all messages of a connection is known from
 * observation only; should one channel turn out to repeat numbers of another, each channel is taken to count for itself.
 */
export type Order = "next" | "repeated" | "lost";

/** Channels have a handful of names; more would be damage. */
const MAX_CHANNELS = 64;

export class ConnectionSequence {
  #last = -1;
  readonly #last_of_channel = new Map<string, number>();
  #by_channel = false;

  accept(channel: string, number: number): Order {
    const of_channel = this.#last_of_channel.get(channel);
    const order = this.#judge(of_channel, number);
    if (order === "repeated") return order;
    if (of_channel !== undefined || this.#last_of_channel.size < MAX_CHANNELS) {
      this.#last_of_channel.set(channel, number);
    }
    this.#last = Math.max(this.#last, number);
    return order;
  }
  #judge(of_channel: number | undefined, number: number): Order {
    if (this.#last < 0) return "next";
    if (!this.#by_channel && number === this.#last + 1) return "next";
    // A lost message makes a number higher than any before; a lower one that is its channel's next is another count.
    const is_own_count = number <= this.#last && number === (of_channel ?? number - 1) + 1;
    if (is_own_count && (of_channel !== undefined || number === 0)) this.#by_channel = true;
    if (!this.#by_channel) return number <= this.#last ? "repeated" : "lost";
    if (of_channel === undefined) return "next";
    return number === of_channel + 1 ? "next" : number <= of_channel ? "repeated" : "lost";
  }
}
