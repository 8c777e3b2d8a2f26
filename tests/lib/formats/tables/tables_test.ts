/** Tables come back as they went in: CSV and NDJSON as text, Parquet through another program's reader (hyparquet). */
import assert from "node:assert/strict";
import { parquetReadObjects } from "hyparquet";
import { parquet } from "../../../../lib/formats/tables/parquet_table.ts";
import type { Cell, TableShape } from "../../../../lib/formats/tables/table.ts";
import { csv, ndjson } from "../../../../lib/formats/tables/text_table.ts";
import { inFolder } from "../../../in_folder.ts";

const SHAPE: TableShape = {
  name: "trades",
  columns: [
    { name: "symbol", type: "text" },
    { name: "received_ns", type: "integer" },
    { name: "price", type: "number" },
    { name: "is_snapshot", type: "boolean" },
  ],
};
const ROWS: Cell[][] = [
  ["BTCUSDT", 1_796_000_000_123_456_789n, 61_800.1, true],
  ['a "quoted", one', undefined, 1e-9, false],
  [undefined, 7, 1e21, undefined],
];

Deno.test("CSV: quoted where it must be, absent is empty, no exponents, every digit of an integer", () =>
  inFolder(async (folder) => {
    const file = await csv.open(`${folder}/t.csv`, SHAPE);
    for (const row of ROWS) file.add(row);
    await file.close();
    assert.equal(
      await Deno.readTextFile(`${folder}/t.csv`),
      "symbol,received_ns,price,is_snapshot\nBTCUSDT,1796000000123456789,61800.1,true\n" +
        '"a ""quoted"", one",,0.000000001,false\n,7,1000000000000000000000,\n',
    );
  }));

Deno.test("NDJSON: absent is left out", () =>
  inFolder(async (folder) => {
    const file = await ndjson.open(`${folder}/t.ndjson`, SHAPE);
    for (const row of ROWS) file.add(row);
    await file.close();
    assert.deepEqual((await Deno.readTextFile(`${folder}/t.ndjson`)).trimEnd().split("\n"), [
      '{"symbol":"BTCUSDT","received_ns":1796000000123456789,"price":61800.1,"is_snapshot":true}',
      '{"symbol":"a \\"quoted\\", one","price":0.000000001,"is_snapshot":false}',
      '{"received_ns":7,"price":1000000000000000000000}',
    ]);
  }));

Deno.test("Parquet: a reader of others finds the same rows, over several row groups", () =>
  inFolder(async (folder) => {
    const file = await parquet.open(`${folder}/t.parquet`, SHAPE);
    const count = 120_003;
    for (let i = 0; i < count; i++) {
      file.add(ROWS[i % ROWS.length]);
      if (file.waiting > 0) await file.flush();
    }
    await file.close();
    const { buffer } = await Deno.readFile(`${folder}/t.parquet`);
    const rows = await parquetReadObjects({ file: buffer });
    assert.equal(rows.length, count);
    const want = ROWS.map(([symbol, received_ns, price, is_snapshot]) => ({
      symbol: symbol ?? null,
      received_ns: received_ns === undefined ? null : BigInt(received_ns as number),
      price,
      is_snapshot: is_snapshot ?? null,
    }));
    for (const i of [0, 1, 2, 49_999, 50_000, count - 1]) assert.deepEqual({ ...rows[i] }, want[i % 3]);
  }));
