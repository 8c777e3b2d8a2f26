/**
 * A 100 MB JSON5 file through j5-format's engine, against JSON.parse + JSON.stringify of the same data. The promise: at
 * most 3 times the time, and a peak memory of at most 12 times the file (Linux only: read from /proc).
 */
import { systemClock } from "../../lib/base/clock.ts";
import { formatJson5 } from "../../lib/formats/json5/format.ts";
import { parseJson5 } from "../../lib/formats/json5/parse.ts";
import { print, row } from "./figures.ts";

const FILE_BYTES = 100_000_000;

function* entries(comments: boolean): Generator<string> {
  let length = 0;
  for (let i = 0; length < FILE_BYTES; i++) {
    const price = 60_000 + i / 100;
    const tail = `"levels": [1.5, 2, ${i}, true, null], "text": "some text that is not short ${i}"`;
    const json5 = `  key_${i}: { symbol: 'BTC${i}', price: ${price}, // note ${i}\n    ${tail} },\n`;
    length += json5.length;
    const last = length >= FILE_BYTES;
    yield comments
      ? json5
      : `"key_${i}": {"symbol": "BTC${i}", "price": ${price}, ${tail}}${last ? "" : ","}\n`;
  }
}

function peakMegabytes(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
  return Number(kilobytes) / 1_000;
}

async function writeEntries(path: string, comments: boolean): Promise<void> {
  const encoder = new TextEncoder();
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  let text = comments ? "// bench\n{\n" : "{\n";
  for (const entry of entries(comments)) {
    text += entry;
    if (text.length < 1 << 20) continue;
    await writer.write(encoder.encode(text));
    text = "";
  }
  await writer.write(encoder.encode(text + "}\n"));
  await writer.close();
}

function timed_ms(body: () => void): number {
  const from_ms = systemClock.monotonic_ms();
  body();
  return systemClock.monotonic_ms() - from_ms;
}

const folder = await Deno.makeTempDir({ prefix: "mdg-bench-" });
try {
  await writeEntries(`${folder}/a.json5`, true);
  await writeEntries(`${folder}/a.json`, false);
  const source = await Deno.readTextFile(`${folder}/a.json5`);
  const encoder = new TextEncoder();
  let bytes_out = 0;
  const format_ms = timed_ms(() => {
    for (const piece of formatJson5(parseJson5(source))) bytes_out += encoder.encode(piece).length;
  });
  const peak_mb = peakMegabytes();
  const json = await Deno.readTextFile(`${folder}/a.json`);
  const json_ms = timed_ms(() => void JSON.stringify(JSON.parse(json), null, 2));
  print("100 MB of JSON5, formatted");
  const ratio = (format_ms / json_ms).toFixed(2);
  row("lex, parse, format, encode", `${format_ms.toFixed(0)} ms`, `${(bytes_out / 1e6).toFixed(0)} MB out`);
  row("JSON.parse + JSON.stringify", `${json_ms.toFixed(0)} ms`, `ratio ${ratio}, promised at most 3`);
  const times = peak_mb === undefined ? undefined : (peak_mb / (source.length / 1e6)).toFixed(1);
  row("peak memory", times ? `${times} × the file` : "unknown", "promised at most 12");
} finally {
  await Deno.remove(folder, { recursive: true });
}
