/**
 * The frames that benches run on: made ones of a stated shape, and the real captures where ../shared/data is present.
 */
import { gunzipSync } from "node:zlib";
import { Random } from "../../lib/base/random.ts";

const encoder = new TextEncoder();

export interface MadeFrames {
  frames: Uint8Array[];
  levels: number;
}

/** Futures depth frames that chain, `levels` a frame, a third of them inserts and deletes, around a standing market. */
export function madeDepthFrames(
  options: { symbol: string; frames: number; levels: number; spread_of_levels: number; seed: string },
): MadeFrames {
  const random = new Random(options.seed);
  const frames: Uint8Array[] = [];
  const half = options.levels / 2;
  const stream = `${options.symbol.toLowerCase()}@depth@100ms`;
  for (let i = 0; i < options.frames; i++) {
    const id = 1_000 + i * 10;
    const side = (sign: 1 | -1) => {
      const ticks = new Set<number>();
      while (ticks.size < half) ticks.add(random.integer(0, options.spread_of_levels));
      // Ascending prices, as the venue sends both sides.
      return [...ticks].sort((one, other) => sign > 0 ? other - one : one - other).map((tick) => {
        const price = (600_000 - (sign > 0 ? 1 : 0) + (sign > 0 ? -tick : tick)) / 10;
        const quantity = random.chance(0.17) ? "0.000" : (random.integer(1, 9_999) / 1000).toFixed(3);
        return [price.toFixed(2), quantity];
      });
    };
    const data = {
      e: "depthUpdate",
      E: 1_700_000_000_000 + i * 100,
      T: 1_700_000_000_000 + i * 100 - 5,
      s: options.symbol,
      U: id - 9,
      u: id,
      pu: id - 10,
      b: side(1),
      a: side(-1),
    };
    frames.push(encoder.encode(JSON.stringify({ stream, data })));
  }
  return { frames, levels: options.levels * options.frames };
}

/** All frames of a shared capture, or undefined where it is not there. */
export function captureFrames(name: string): Uint8Array[] | undefined {
  const path = new URL(`../../../shared/data/captures/${name}`, import.meta.url);
  let packed: Uint8Array;
  try {
    packed = Deno.readFileSync(path);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(gunzipSync(packed));
  const frames: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end;
    frames.push(bytes.slice(bytes.indexOf(32, start) + 1, stop));
    start = stop + 1;
  }
  return frames;
}

export function isDepthFrame(frame: Uint8Array): boolean {
  return new TextDecoder().decode(frame.subarray(0, 120)).includes('"depthUpdate"');
}
