/**
 * Plays a tape: hands out item after item, at the tape's own pace times `speed` or, at Infinity, as fast as the clients
 * take it. Between bursts it gives way to the sockets, so control messages and REST requests are served meanwhile.
 * It ends with the tape, on abort, or on a failure of the tape.
 */
import { type Clock, nextTurn, sleep } from "../../base/clock.ts";
import type { StageItem, Tape } from "./tape.ts";

/** Items between two looks at the sockets. */
const BURST = 64;
/** Items due within this are played together; a timer is no finer. */
const GRAIN_MS = 2;

export interface PlayerOptions<Item extends StageItem> {
  tape: Tape<Item>;
  clock: Clock;
  speed: number;
  signal: AbortSignal;
  play(item: Item, position: number): void;
  /** Sends what was played; a promise when the clients lag and the player should wait. */
  flush(): Promise<void> | undefined;
}

export class Player<Item extends StageItem> {
  /** Items played; the next one's number. */
  position = 0;
  #start_ms = 0;
  #first_us: number | undefined;

  constructor(readonly options: PlayerOptions<Item>) {}

  /** True when the tape was played to its end, false when aborted. */
  async run(): Promise<boolean> {
    const { tape, signal, play } = this.options;
    this.#start_ms = this.options.clock.monotonic_ms();
    let burst = 0;
    for await (const items of tape.batches()) {
      for (const item of items) {
        const wait_ms = this.#wait_ms(item);
        if (wait_ms > 0 || ++burst >= BURST) {
          await this.#giveWay(wait_ms);
          burst = 0;
        }
        if (signal.aborted) return false;
        play(item, this.position++);
      }
    }
    await this.#giveWay(0);
    return !signal.aborted;
  }

  #wait_ms(item: Item): number {
    const { speed, clock } = this.options;
    if (speed === Infinity) return 0;
    this.#first_us ??= item.at_us;
    const due_ms = this.#start_ms + (item.at_us - this.#first_us) / 1000 / speed;
    const wait_ms = due_ms - clock.monotonic_ms();
    return wait_ms > GRAIN_MS ? wait_ms : 0;
  }
  async #giveWay(wait_ms: number): Promise<void> {
    const { flush, clock, signal } = this.options;
    const lag = flush();
    if (lag) await lag;
    if (wait_ms > 0) await sleep(clock, wait_ms, signal);
    else await nextTurn();
  }
}
