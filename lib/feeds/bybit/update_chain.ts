/**
 * Whether Bybit's update ids count by one is said nowhere. Taken to: a jump is then a loss. Should most steps of a stream
 * turn out as jumps, its ids plainly don't count, and each update is taken to follow the one before it.
 */
const STEPS_TO_JUDGE = 16;

export class UpdateChain {
  #last_id: number | undefined;
  #single_steps = 0;
  #jumps = 0;

  /** A whole book came: what follows counts from here. */
  restart(id: number): void {
    this.#last_id = id;
  }
  /** The id that comes before `id` in this stream. */
  previousOf(id: number): number {
    const last_id = this.#last_id;
    // A repetition says nothing of how ids count.
    if (last_id !== undefined && id <= last_id) return id - 1;
    this.#last_id = id;
    if (last_id === undefined) return id - 1;
    if (id === last_id + 1) this.#single_steps++;
    else this.#jumps++;
    const counts_up = this.#jumps <= this.#single_steps || this.#jumps + this.#single_steps < STEPS_TO_JUDGE;
    return counts_up ? id - 1 : last_id;
  }
}
