/** CRC-32 as of IEEE 802.3 (zip, PNG, order book checksums of exchanges): reflected polynomial 0xEDB88320. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Over `bytes[0, length)`, as an unsigned integer. */
export function crc32(bytes: Uint8Array, length = bytes.length): number {
  let crc = -1;
  for (let i = 0; i < length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
