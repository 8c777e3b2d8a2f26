/** One side of a book as a plain Map, sorted when asked: the oracle for BookSide. Slow and obvious on purpose. */

/** [price, quantity, exact text?], as a venue would send it. */
export type Row = [price: number, quantity: number, exact?: string];

export class NaiveSide {
  readonly levels = new Map<number, { quantity: number; exact?: string }>();
  constructor(readonly sign: 1 | -1) {}

  apply(rows: readonly Row[]): void {
    for (const [price, quantity, exact] of rows) {
      if (quantity === 0) this.levels.delete(price);
      else this.levels.set(price, { quantity, exact });
    }
  }
  /** Best first. */
  sorted(): Row[] {
    return [...this.levels].map(([price, { quantity, exact }]): Row => [price, quantity, exact])
      .sort((one, other) => this.sign * (other[0] - one[0]));
  }
}
