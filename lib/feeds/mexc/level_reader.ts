/**
 * Book levels of MEXC's protobuf: each its own little message of two texts, price (1) and quantity (2). The form that the
 * venue writes is read in place; any other legal one (other order, unknown fields) field by field.
 */
import type { LevelList } from "../../market/level_list.ts";
import { ProtobufReader } from "../../wire/protobuf_reader.ts";
import { DecimalText } from "../decimal_text.ts";
import { MAX_LEVELS } from "../level_scanner.ts";

const PRICE = 1;
const QUANTITY = 2;
const BYTES = 2;
const PRICE_TAG = (PRICE << 3) | BYTES;
const QUANTITY_TAG = (QUANTITY << 3) | BYTES;
/** A length below this takes one byte. */
const ONE_BYTE = 128;

export class LevelReader {
  readonly #decimal = new DecimalText();
  readonly #reader = new ProtobufReader();

  /** Appends the level in bytes[start, end); false when it is none, or its price one that a double would bend. */
  push(bytes: Uint8Array, start: number, end: number, list: LevelList): boolean {
    const price_start = start + 2;
    const price_end = price_start + bytes[start + 1];
    const quantity_start = price_end + 2;
    if (
      end - start > 4 && bytes[start] === PRICE_TAG && bytes[start + 1] < ONE_BYTE && quantity_start <= end &&
      bytes[price_end] === QUANTITY_TAG && bytes[price_end + 1] === end - quantity_start &&
      bytes[price_end + 1] < ONE_BYTE
    ) return this.#append(bytes, price_start, price_end, quantity_start, end, list);
    return this.#pushSlowly(bytes, start, end, list);
  }

  #append(
    bytes: Uint8Array,
    price_start: number,
    price_end: number,
    quantity_start: number,
    quantity_end: number,
    list: LevelList,
  ): boolean {
    const decimal = this.#decimal;
    const price = decimal.read(bytes, price_start, price_end);
    if (!(price >= 0) || decimal.exact_text !== undefined || list.size >= MAX_LEVELS) return false;
    if (decimal.decimals > list.price_decimals) {
      list.noteDecimals(decimal.significantDecimals(bytes, price_end), 0);
    }
    const quantity = decimal.read(bytes, quantity_start, quantity_end);
    if (!(quantity >= 0)) return false;
    if (decimal.decimals > list.quantity_decimals) {
      list.noteDecimals(0, decimal.significantDecimals(bytes, quantity_end));
    }
    if (decimal.exact_text !== undefined) {
      (list.exact_quantities ??= new Map()).set(list.size, decimal.exact_text);
    }
    list.push(price, quantity);
    return true;
  }
  #pushSlowly(bytes: Uint8Array, start: number, end: number, list: LevelList): boolean {
    const reader = this.#reader;
    let [price_start, price_end, quantity_start, quantity_end] = [0, 0, 0, 0];
    reader.open(bytes, start, end);
    while (reader.next()) {
      if (reader.wire !== BYTES) continue;
      if (reader.field === PRICE) [price_start, price_end] = [reader.start, reader.end];
      if (reader.field === QUANTITY) [quantity_start, quantity_end] = [reader.start, reader.end];
    }
    // A text that is not there reads as empty, which is no decimal.
    return !reader.failed &&
      this.#append(bytes, price_start, price_end, quantity_start, quantity_end, list);
  }
}
