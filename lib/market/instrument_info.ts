/**
 * What a venue says of an instrument itself: its currencies, its grid, whether it trades now. Steps and minima are exact
 * decimal texts as the venue writes them. What the venue does not say is absent.
 */
export type InstrumentStatus = "trading" | "halted" | "closed";

export interface InstrumentInfo {
  venue: string;
  symbol: string;
  /** Absent where the venue's word has no counterpart here. */
  status?: InstrumentStatus;
  base?: string;
  quote?: string;
  price_tick?: string;
  quantity_step?: string;
  min_quantity?: string;
  min_notional?: string;
}
