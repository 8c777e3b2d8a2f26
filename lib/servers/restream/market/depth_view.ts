/**
 * The best N levels of one side as a client with `depth` N was last told, and the changes that turn them into what they
 * are now. Levels that leave the view are deleted (quantity 0) and levels that move up into it are sent, so a client
 * that only applies changes always holds exactly the best N. One walk over two sorted lists, nothing allocated.
 */
import type { BookSide } from "../../../market/book_side.ts";
import { LevelList } from "../../../market/level_list.ts";

export class DepthView {
  /** The levels as last told, best first. */
  #told = new LevelList();
  #next = new LevelList();
  readonly changes = new LevelList();

  constructor(readonly depth: number) {}

  get levels(): LevelList {
    return this.#told;
  }
  clear(): void {
    this.#told.clear();
  }
  /** Takes the side as it is now; `changes` says what to tell. True when there is something. */
  update(side: BookSide): boolean {
    const told = this.#told;
    const next = this.#next;
    const { changes } = this;
    readBest(side, this.depth, next);
    changes.clear();
    let i = 0;
    let j = 0;
    while (i < told.size || j < next.size) {
      const gone = i < told.size ? side.sign * told.prices[i] : -Infinity;
      const here = j < next.size ? side.sign * next.prices[j] : -Infinity;
      if (gone > here) {
        changes.push(told.prices[i++], 0);
      } else if (here > gone) {
        tell(changes, next, j++);
      } else {
        const same = told.quantities[i] === next.quantities[j] &&
          told.exact_quantities?.get(i) === next.exact_quantities?.get(j);
        if (!same) tell(changes, next, j);
        i++;
        j++;
      }
    }
    this.#told = next;
    this.#next = told;
    return changes.size > 0;
  }
}

/** Only levels inside the known bound: beyond it some may be missing. */
function readBest(side: BookSide, depth: number, into: LevelList): void {
  into.clear();
  let count = Math.min(depth, side.size);
  if (count > 0 && side.key(count - 1) < side.bound_key) count = Math.min(count, side.known);
  for (let i = 0; i < count; i++) {
    const exact = side.exactQuantity(i);
    if (exact !== undefined) (into.exact_quantities ??= new Map()).set(i, exact);
    into.push(side.price(i), side.quantity(i));
  }
}

function tell(changes: LevelList, from: LevelList, i: number): void {
  const exact = from.exact_quantities?.get(i);
  if (exact !== undefined) (changes.exact_quantities ??= new Map()).set(changes.size, exact);
  changes.push(from.prices[i], from.quantities[i]);
}
