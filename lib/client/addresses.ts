/**
 * Which server is tried next, and when. The next in the list comes soon, the round as a whole backs off with jitter; what
 * a server said about coming back holds for that server. Pure: endings in, places and delays out.
 */
import { Backoff } from "../base/backoff.ts";
import type { Random } from "../base/random.ts";
import type { Ending } from "./connection.ts";

export interface DelayOptions {
  readonly first_ms: number;
  readonly max_ms: number;
}

/** What an ending says about coming back. */
export type Return = "soon" | "late" | "never";

/** The tenant's connections are used up: when another has ended there is room. */
const CONNECTIONS_USED_UP = 4504;
/** Our own fault, as the server sees it; hurrying would not mend it. */
const FAULT_CODES = [1002, 1003, 1007, 1008, 1009];
const FAULT_STATUS = [400, 404, 426];
const REFUSED_STATUS = [401, 403];
/** However long a server asks us to wait. */
const MAX_WAIT_MS = 3_600_000;

/** README of the protocol, "Limits and close codes". */
export function returnAfter({ close_code, status }: Ending): Return {
  if (status !== undefined) {
    if (REFUSED_STATUS.includes(status)) return "never";
    return FAULT_STATUS.includes(status) ? "late" : "soon";
  }
  if (close_code === undefined) return "soon";
  if (close_code === CONNECTIONS_USED_UP || FAULT_CODES.includes(close_code)) return "late";
  return close_code >= 4500 && close_code < 5000 ? "never" : "soon";
}

interface Place {
  readonly url: string;
  not_before_ms: number;
  is_final: boolean;
}

export class Addresses {
  readonly #places: Place[];
  readonly #backoff: Backoff;
  readonly #near: Backoff;
  #current = 0;
  /** Failures since a connection was healthy. */
  #failures = 0;

  constructor(urls: readonly string[], readonly delays: DelayOptions, random: Random) {
    this.#places = urls.map((url) => ({ url, not_before_ms: -Infinity, is_final: false }));
    this.#backoff = new Backoff(delays, random);
    this.#near = new Backoff({ ...delays, factor: 1 }, random);
  }
  get url(): string {
    return this.#places[this.#current].url;
  }
  /** The connection proved good. */
  healthy(): void {
    this.#failures = 0;
    this.#backoff.reset();
  }
  /**
   * How long to wait for the next attempt, which is then `url`; undefined: every server said never. `may_renew`: another
   * token will be shown, so that "never" only means late.
   */
  failed(ending: Ending, now_ms: number, may_renew: boolean): number | undefined {
    const place = this.#places[this.#current];
    const said = returnAfter(ending);
    if (said === "never" && !may_renew) place.is_final = true;
    if (said !== "soon") place.not_before_ms = now_ms + this.delays.max_ms;
    if (ending.retry_after_ms !== undefined) {
      place.not_before_ms = now_ms + Math.min(MAX_WAIT_MS, ending.retry_after_ms);
    }
    this.#failures++;
    return this.#next(now_ms);
  }
  #next(now_ms: number): number | undefined {
    const count = this.#places.length;
    const open = Array.from({ length: count }, (_, i) => (this.#current + 1 + i) % count)
      .filter((at) => !this.#places[at].is_final);
    if (open.length === 0) return undefined;
    const wait_ms = (at: number) => Math.max(0, this.#places[at].not_before_ms - now_ms);
    // The first in turn that may be tried; where none may, the one that may first.
    const chosen = open.find((at) => wait_ms(at) === 0) ??
      open.reduce((best, at) => wait_ms(at) < wait_ms(best) ? at : best);
    this.#current = chosen;
    const delay_ms = this.#failures % open.length === 0 ? this.#backoff.next_ms() : this.#near.next_ms();
    // Beyond what was asked for, so that all who were told the same do not come together.
    return wait_ms(chosen) + delay_ms;
  }
}
