/** The spot category. */
import { bybitMock } from "./market.ts";

export const bybitSpot = bybitMock("bybit-spot", "Bybit spot, WebSocket v5", "spot");
