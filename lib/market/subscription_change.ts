/**
 * A change of what a source is subscribed to at its venue, as told to whoever keeps a record of it. Requested, then
 * acknowledged or refused by the venue; the words are the same for every venue.
 */
import type { Channel } from "./event.ts";

export interface SubscriptionChange {
  /** The feed's registry name. */
  venue: string;
  symbol: string;
  channel: Channel;
  action: "subscribe" | "unsubscribe";
  state: "requested" | "acknowledged" | "refused";
  /** The venue's words where it refused. */
  reason?: string;
  /** The venue's own id of the subscription, where it has one. */
  subscription_id?: string;
  /** Unix epoch, microseconds. */
  at_us: number;
}
