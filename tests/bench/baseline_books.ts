/**
 * What a careful programmer writes first, and what benches measure against: JSON.parse, Number, and either a Map that is
 * sorted for its top 20 or a sorted array with splice. Being plain, they serve as oracles too.
 */

interface DepthMessage {
  data: { b: [string, string][]; a: [string, string][] };
}
const decoder = new TextDecoder();
const TOP = 20;

export class MapAndSortBook {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  top: [number, number][][] = [];

  frame(frame: Uint8Array): void {
    const { data } = JSON.parse(decoder.decode(frame)) as DepthMessage;
    set(this.bids, data.b);
    set(this.asks, data.a);
    this.top = [
      [...this.bids].sort((one, other) => other[0] - one[0]).slice(0, TOP),
      [...this.asks].sort((one, other) => one[0] - other[0]).slice(0, TOP),
    ];
  }
}

export class SortedArrayBook {
  readonly bids: { prices: number[]; quantities: number[] } = { prices: [], quantities: [] };
  readonly asks: { prices: number[]; quantities: number[] } = { prices: [], quantities: [] };

  frame(frame: Uint8Array): void {
    const { data } = JSON.parse(decoder.decode(frame)) as DepthMessage;
    for (const [price, quantity] of data.b) insert(this.bids, -Number(price), Number(quantity));
    for (const [price, quantity] of data.a) insert(this.asks, Number(price), Number(quantity));
  }
}

function set(side: Map<number, number>, levels: [string, string][]): void {
  for (const [price, quantity] of levels) {
    if (Number(quantity) === 0) side.delete(Number(price));
    else side.set(Number(price), Number(quantity));
  }
}

function insert(side: { prices: number[]; quantities: number[] }, key: number, quantity: number): void {
  const { prices, quantities } = side;
  let low = 0;
  let high = prices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (prices[middle] < key) low = middle + 1;
    else high = middle;
  }
  if (prices[low] === key) {
    if (quantity !== 0) quantities[low] = quantity;
    else {
      prices.splice(low, 1);
      quantities.splice(low, 1);
    }
  } else if (quantity !== 0) {
    prices.splice(low, 0, key);
    quantities.splice(low, 0, quantity);
  }
}
