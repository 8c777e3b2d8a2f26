/** Binance frames, spoilt in their own words: keys no reader can do without, and frames of tomorrow's releases. */
import type { CorruptionWords } from "../stage/corruption.ts";

export const binanceWords: CorruptionWords = {
  format: "json",
  essential: ["s", "u", "U", "pu", "b", "a", "B", "A", "p", "q"],
  strange: [
    '{"stream":"btcusdt@novelty","data":{"e":"noveltyOfTomorrow","E":1,"s":"BTCUSDT","x":{"deep":[1,2,{}]}}}',
    '{"e":"noveltyOfTomorrow","E":1,"s":"BTCUSDT"}',
    '{"stream":"nosuchusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"NOSUCHUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}}',
    '{"stream":"btcusdt@depth@100ms"}',
    '[{"e":"24hrMiniTicker","E":1,"s":"BTCUSDT"}]',
  ],
};
