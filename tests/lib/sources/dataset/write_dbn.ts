/** Writes DBN files for tests, from the published layout and apart from the reader: versions 1 to 3, with names. */

export interface DbnFile {
  version: 1 | 2 | 3;
  dataset: string;
  ts_out?: boolean;
  /** Symbol → instrument number. */
  symbols: Record<string, number>;
  records: Uint8Array[];
}

class Bytes {
  readonly parts: number[] = [];
  u8(value: number): this {
    this.parts.push(value & 0xff);
    return this;
  }
  number(value: bigint | number, bytes: number): this {
    const whole = BigInt.asUintN(bytes * 8, BigInt(value));
    for (let i = 0n; i < bytes; i++) this.u8(Number((whole >> (8n * i)) & 0xffn));
    return this;
  }
  name(text: string, width: number): this {
    for (let i = 0; i < width; i++) this.u8(i < text.length ? text.charCodeAt(i) : 0);
    return this;
  }
  pad(count: number): this {
    for (let i = 0; i < count; i++) this.u8(0);
    return this;
  }
  array(): Uint8Array {
    return Uint8Array.from(this.parts);
  }
}

export function writeDbn({ version, dataset, ts_out = false, symbols, records }: DbnFile): Uint8Array {
  const width = version === 1 ? 22 : 71;
  const body = new Bytes().name(dataset, 16).number(0, 2).number(1, 8).number(2, 8).number(0, 8);
  if (version === 1) body.number(records.length, 8);
  body.u8(1).u8(0).u8(ts_out ? 1 : 0);
  if (version > 1) body.number(width, 2);
  body.pad(100 - body.parts.length);
  body.number(0, 4);
  const names = Object.entries(symbols);
  body.number(names.length, 4);
  for (const [symbol] of names) body.name(symbol, width);
  body.number(0, 4).number(0, 4).number(names.length, 4);
  for (const [symbol, instrument] of names) {
    body.name(symbol, width).number(1, 4).number(20_261_130, 4).number(20_261_201, 4).name(
      String(instrument),
      width,
    );
  }
  const head = new Bytes().name("DBN", 3).u8(version).number(body.parts.length, 4);
  return Uint8Array.from([...head.parts, ...body.parts, ...records.flatMap((one) => [...one])]);
}

export interface DbnEvent {
  instrument: number;
  at_ns: bigint;
  action: string;
  side: string;
  /** Undefined: the largest integer, which means none. */
  price?: number;
  size?: number;
  flags?: number;
  order_id?: bigint | number;
  ts_out?: boolean;
}
const UNDEFINED_PRICE = 2n ** 63n - 1n;
const fixed = (price: number | undefined) =>
  price === undefined ? UNDEFINED_PRICE : BigInt(Math.round(price * 1e9));

function head(bytes: number, kind: number, { instrument, at_ns, ts_out }: DbnEvent): Bytes {
  const words = (bytes + (ts_out ? 8 : 0)) / 4;
  return new Bytes().u8(words).u8(kind).number(7, 2).number(instrument, 4).number(at_ns - 1_000_000n, 8);
}
function end(bytes: Bytes, { ts_out, at_ns }: DbnEvent): Uint8Array {
  if (ts_out) bytes.number(at_ns + 5n, 8);
  return bytes.array();
}

export function mbo(event: DbnEvent): Uint8Array {
  const { order_id = 0, price, size = 0, flags = 0x80, action, side, at_ns } = event;
  const bytes = head(56, 0xa0, event).number(order_id, 8).number(fixed(price), 8).number(size, 4).u8(flags)
    .u8(3)
    .name(action, 1).name(side, 1).number(at_ns, 8).number(17, 4).number(99, 4);
  return end(bytes, event);
}

export type DbnLevel = readonly [
  bid: number | undefined,
  bid_size: number,
  ask: number | undefined,
  ask_size: number,
];

/** Market-by-price with as many levels as the kind has: 0 (trades), 1 or 10. */
export function mbp(count: 0 | 1 | 10, event: DbnEvent, levels: readonly DbnLevel[] = []): Uint8Array {
  const { price, size = 0, flags = 0x80, action, side, at_ns } = event;
  const bytes = head(48 + 32 * count, count, event).number(fixed(price), 8).number(size, 4)
    .name(action, 1).name(side, 1).u8(flags).u8(0).number(at_ns, 8).number(17, 4).number(99, 4);
  for (let i = 0; i < count; i++) {
    const [bid, bid_size, ask, ask_size] = levels[i] ?? [undefined, 0, undefined, 0];
    bytes.number(fixed(bid), 8).number(fixed(ask), 8).number(bid_size, 4).number(ask_size, 4).number(1, 4)
      .number(1, 4);
  }
  return end(bytes, event);
}
