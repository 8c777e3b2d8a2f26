/**
 * Runs the rules over the market: one watch per rule and instrument, made at the first update, gone when the symbol is
 * removed. Pure: updates, ticks and time come in, alerts go out. Past MAX_INSTRUMENTS new ones are not watched, which is
 * counted and told.
 */
import type { UpdateKind } from "../../flow/delivery_target.ts";
import type { BookState, Surroundings } from "../../flow/hub.ts";
import type { MarketUpdate } from "../../market/update.ts";
import type { Alert } from "./alert.ts";
import type { InstrumentWatch, PartWatch, Raise, Said } from "./rules/rule.ts";
import type { NamedRule } from "./rule_config.ts";

export const MAX_INSTRUMENTS = 10_000;

interface Watched {
  readonly rule: NamedRule;
  readonly kinds: ReadonlySet<UpdateKind>;
  readonly watch: InstrumentWatch;
}

export interface EngineOwner {
  raised(alert: Alert): void;
  suppressed(rule: string): void;
}

export class RuleEngine {
  readonly kinds: ReadonlySet<UpdateKind>;
  /** Instruments that came when MAX_INSTRUMENTS were watched; each counts at every update. */
  unwatched = 0;
  readonly #instruments = new Map<string, Map<string, readonly Watched[]>>();
  readonly #parts = new Map<string, readonly PartWatch[]>();
  #size = 0;
  #now_ms = 0;
  #raised = 0;

  constructor(readonly rules: readonly NamedRule[], readonly owner: EngineOwner, readonly own_name: string) {
    // a removed symbol is told by its status
    this.kinds = new Set(["book_status", ...rules.flatMap(({ rule }) => rule.kinds)]);
  }
  get instruments(): number {
    return this.#size;
  }

  /** How many alerts this update raised. */
  onUpdate(update: MarketUpdate, now_ms: number): number {
    this.#now_ms = now_ms;
    this.#raised = 0;
    if (update.kind === "book_status" && update.reason === "removed") {
      if (this.#instruments.get(update.venue)?.delete(update.symbol)) this.#size--;
      return 0;
    }
    for (const { kinds, watch } of this.#watchesOf(update.venue, update.symbol)) {
      if (kinds.has(update.kind)) watch.onUpdate?.(update, now_ms);
    }
    return this.#raised;
  }
  /** Time goes on. */
  tick(surroundings: Surroundings | undefined, now_ms: number): void {
    this.#now_ms = now_ms;
    if (!surroundings) return;
    for (const book of surroundings.books()) {
      for (const { watch } of this.#watchesOf(book.venue, book.symbol)) watch.onTick?.(book, now_ms);
    }
    for (const { role, name, reason } of surroundings.parts()) {
      if (name === this.own_name) continue;
      const key = `${role} ${name}`;
      let watches = this.#parts.get(key);
      if (!watches) {
        watches = this.rules.map((rule) =>
          rule.rule.watchPart?.(role, name, this.#raiser(rule, { part: name }))
        ).filter((watch) => watch !== undefined);
        this.#parts.set(key, watches);
      }
      for (const watch of watches) watch.onTick(reason, now_ms);
    }
  }
  /** Rules that will be silent for a reason nobody sees: they name what is not there, or wait for what does not come. */
  blindSpots(books: Iterable<BookState>): string[] {
    const present = [...books];
    const symbols = new Set(present.map(({ symbol }) => symbol));
    const venues = new Set(present.map(({ venue }) => venue));
    const spots: string[] = [];
    for (const { name, settings } of this.rules) {
      for (const one of settings.symbols ?? []) {
        if (!symbols.has(one)) spots.push(`${name}: no symbol "${one}"`);
      }
      for (const one of settings.venues ?? []) if (!venues.has(one)) spots.push(`${name}: no venue "${one}"`);
    }
    for (const { venue, symbol, notReady, silence } of present.map(readinessOf)) {
      if (notReady !== undefined || silence !== undefined) continue;
      for (const { rule, watch } of this.#watchesOf(venue, symbol)) {
        const why = watch.blind?.();
        if (why !== undefined) spots.push(`${rule.name}: ${symbol} at ${venue}: ${why}`);
      }
    }
    return spots;
  }

  #watchesOf(venue: string, symbol: string): readonly Watched[] {
    const known = this.#instruments.get(venue)?.get(symbol);
    if (known) return known;
    if (this.#size >= MAX_INSTRUMENTS) {
      this.unwatched++;
      return [];
    }
    const watches: Watched[] = [];
    for (const rule of this.rules) {
      const { venues, symbols } = rule.settings;
      if ((venues && !venues.includes(venue)) || (symbols && !symbols.includes(symbol))) continue;
      const watch = rule.rule.watchInstrument?.(venue, symbol, this.#raiser(rule, { venue, symbol }));
      if (watch) watches.push({ rule, kinds: new Set(rule.rule.kinds), watch });
    }
    let of_venue = this.#instruments.get(venue);
    if (!of_venue) this.#instruments.set(venue, of_venue = new Map());
    of_venue.set(symbol, watches);
    this.#size++;
    return watches;
  }
  #raiser({ name, settings }: NamedRule, of: { venue?: string; symbol?: string; part?: string }): Raise {
    const { venue, symbol, part } = of;
    const key = `${name} ${part ?? `${venue} ${symbol}`}`;
    const raise = ({ id, ...said }: Said) => {
      this.#raised++;
      this.owner.raised({
        key: id === undefined ? key : `${key} ${id}`,
        rule: name,
        // good news can wait
        priority: said.resolved && settings.priority !== "low" ? "normal" : settings.priority,
        at_ms: this.#now_ms,
        ...part === undefined ? { venue, symbol } : {},
        ...said,
      });
    };
    return Object.assign(raise, { suppressed: () => this.owner.suppressed(name) });
  }
}

function readinessOf(book: BookState) {
  const { venue, symbol } = book;
  return { venue, symbol, notReady: book.notReady(), silence: book.silence?.() };
}
