/** Channel and key names from the configured templates; the client is not needed to know them. */

/** `template` with `{venue}` and `{symbol}` filled in: "orderbook:{symbol}" → "orderbook:BTCUSDT". */
export function channelOf(template: string, venue: string, symbol: string): string {
  return template.replaceAll("{venue}", () => venue).replaceAll("{symbol}", () => symbol);
}
