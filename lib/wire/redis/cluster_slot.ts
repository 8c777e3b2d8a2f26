/**
 * The slot of a Redis Cluster that a key or channel belongs to: CRC16 (XMODEM) of its bytes modulo 16,384; of a name with
 * a hash tag only the text between the first { and the next } counts, when there is any (Redis Cluster specification).
 */
export const CLUSTER_SLOTS = 16_384;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});
const encoder = new TextEncoder();

/** 0 … 16,383. */
export function clusterSlot(name: string): number {
  let crc = 0;
  for (const byte of encoder.encode(hashedPart(name))) {
    crc = ((crc << 8) ^ TABLE[((crc >> 8) ^ byte) & 0xff]) & 0xffff;
  }
  return crc % CLUSTER_SLOTS;
}

function hashedPart(name: string): string {
  const open = name.indexOf("{");
  if (open < 0) return name;
  const close = name.indexOf("}", open + 1);
  return close > open + 1 ? name.slice(open + 1, close) : name;
}
