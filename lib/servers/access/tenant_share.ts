/**
 * One tenant's bytes as this thread spends them: synchronously, from a balance that is drawn from the ledger in slices of a
 * tenth of a second, the next one asked for while half of the last is left. What is drawn and not spent is at most a
 * second's worth, so all nodes together may overshoot by a slice each, never run over for long. A ledger of this thread is
 * asked at the moment of need and is exact.
 */
import type { Clock } from "../../base/clock.ts";
import type { QuotaLedger } from "./quota_ledger.ts";

const SLICES_PER_S = 10;
const MIN_SLICE_BYTES = 4_096;
/** While the ledger cannot be asked. */
const PAUSE_MS = 250;
/** While the tenant has used up what there is. */
const MAX_PAUSE_MS = 1_000 / SLICES_PER_S;

export class TenantShare {
  #balance = 0;
  /** Refused since the last question: the next one asks for that much more. */
  #refused_bytes = 0;
  #drawing: Promise<void> | undefined;
  #ask_again_ms = 0;

  constructor(
    readonly tenant: string,
    readonly ledger: QuotaLedger,
    readonly clock: Clock,
    public max_bytes_per_s: number,
  ) {}

  takeBytes(bytes: number): boolean {
    // larger than a second's worth: it passes once that much is there, and leaves a debt
    const needed = Math.min(bytes, this.max_bytes_per_s);
    if (this.#balance < needed && !this.#drawNow(needed)) {
      this.#refused_bytes += bytes;
      this.#ask();
      return false;
    }
    this.#balance -= bytes;
    if (this.#balance < this.#slice / 2) this.#ask();
    return true;
  }
  retry_after_ms(): number {
    return Math.max(1, Math.ceil(this.#ask_again_ms - this.clock.monotonic_ms()));
  }
  /** The first slice, before anybody waits for it. Never rejects. */
  async prepare(): Promise<void> {
    if (this.#balance > 0) return;
    this.#ask();
    await this.#drawing;
  }

  get #slice(): number {
    return Math.min(this.max_bytes_per_s, Math.max(MIN_SLICE_BYTES, this.max_bytes_per_s / SLICES_PER_S));
  }
  /** Whether the balance is enough now, where the ledger can tell at once. */
  #drawNow(needed: number): boolean {
    const { ledger, tenant, max_bytes_per_s, clock } = this;
    if (!ledger.drawNow) return false;
    const want = Math.ceil(needed - this.#balance + this.#slice);
    const { bytes } = ledger.drawNow(tenant, want, max_bytes_per_s);
    this.#balance += bytes;
    const missing = needed - this.#balance;
    if (missing <= 0) return true;
    // a debt is paid while somebody waits: the bucket itself never holds more than a second's worth
    const pause_ms = Math.min(MAX_PAUSE_MS, missing * 1_000 / max_bytes_per_s);
    this.#ask_again_ms = clock.monotonic_ms() + pause_ms;
    return false;
  }
  #ask(): void {
    if (this.ledger.drawNow || this.#drawing || this.clock.monotonic_ms() < this.#ask_again_ms) return;
    const room = this.max_bytes_per_s - this.#balance;
    const want = Math.ceil(Math.min(room, this.#slice + this.#refused_bytes));
    if (want <= 0) return;
    this.#refused_bytes = 0;
    this.#drawing = this.#draw(want).finally(() => this.#drawing = undefined);
  }
  async #draw(want: number): Promise<void> {
    let pause_ms = PAUSE_MS;
    try {
      const drawn = await this.ledger.draw(this.tenant, want, this.max_bytes_per_s);
      this.#balance += drawn.bytes;
      // a part of it means that others draw too: often enough to be fair, not at every byte that falls in
      pause_ms = Math.min(drawn.retry_after_ms, MAX_PAUSE_MS);
    } catch {
      // whoever keeps the ledger has counted and logged it
    }
    this.#ask_again_ms = this.clock.monotonic_ms() + pause_ms;
  }
}
