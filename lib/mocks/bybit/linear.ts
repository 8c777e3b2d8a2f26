/** The linear category. */
import { bybitMock } from "./market.ts";

export const bybitLinear = bybitMock("bybit-linear", "Bybit linear, WebSocket v5", "linear");
