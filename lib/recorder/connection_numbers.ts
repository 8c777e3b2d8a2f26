/** Numbers of open connections, 16 bits wide: given anew in turn, so that a number is not soon another's. */

const LAST = 0xffff;

export class ConnectionNumbers {
  readonly #used = new Set<number>();
  #next = 1;

  /** 0, which names no connection, when all are in use. */
  take(): number {
    if (this.#used.size >= LAST) return 0;
    while (this.#used.has(this.#next)) this.#advance();
    const number = this.#next;
    this.#used.add(number);
    this.#advance();
    return number;
  }
  free(number: number): void {
    this.#used.delete(number);
  }
  #advance(): void {
    this.#next = this.#next === LAST ? 1 : this.#next + 1;
  }
}
