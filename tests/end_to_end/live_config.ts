/** Configs of tests: one live source on a stand-in, with a WebSocket and health on ports of their own. */
export interface LiveConfig {
  venue: string;
  ws_url: string;
  symbols: readonly string[];
  redis_url?: string;
  /** More keys of the source. */
  source?: Record<string, unknown>;
}

export function liveConfig({ venue, ws_url, symbols, redis_url, source }: LiveConfig) {
  return {
    sources: [{
      kind: "live",
      venue,
      symbols,
      ws_url,
      reconnect_delay_ms: 50,
      max_reconnect_delay_ms: 500,
      ...source,
    }],
    sinks: redis_url === undefined ? [] : [{ kind: "redis", url: redis_url }],
    servers: [
      { kind: "websocket", listen: "127.0.0.1:0", max_queue_bytes: 67_108_864 },
      { kind: "health", listen: "127.0.0.1:0" },
    ],
  };
}

/** Books and trades of each symbol. */
export function booksAndTrades(symbols: readonly string[]): { symbol: string; channel: string }[] {
  return symbols.flatMap((symbol) => ["book", "trades"].map((channel) => ({ symbol, channel })));
}
