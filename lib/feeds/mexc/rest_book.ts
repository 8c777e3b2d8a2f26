/** Order books by REST: spot has the book at the top, futures inside `data`; everything else has the same shape. */
import { LevelList } from "../../market/level_list.ts";
import type { SnapshotSpec } from "../feed.ts";
import { readRows } from "../json/levels.ts";
import { quoted } from "../json/mapper.ts";
import { JsonTape } from "../json/tape.ts";

interface BookPlace {
  /** The key of the object that holds the book; absent: it is the answer itself. */
  inside?: string;
  /** Key of the version that the book stands at. */
  version: string;
}

const MAX_TIME_MS = 1e14;

/** `{"lastUpdateId":1,"bids":[["64010.11","0.5"]],"asks":[…],"timestamp":1793628600123}`; rows may have more columns. */
export function bookParser(venue: string, { inside, version }: BookPlace): SnapshotSpec["parse"] {
  const tape = new JsonTape();
  return (body, symbol, received_us, batch, depth_limit) => {
    if (!tape.scan(body)) return "depth snapshot: not JSON";
    const book = inside === undefined ? 0 : tape.field(0, inside);
    const last_id = tape.integer(tape.field(book, version));
    if (Number.isNaN(last_id)) {
      const code = tape.field(0, "code");
      if (code < 0) return `depth snapshot: no ${version}`;
      const why = tape.text(tape.field(0, "msg")) || tape.text(tape.field(0, "message"));
      return `depth snapshot refused: ${tape.text(code)} ${quoted(why)}`;
    }
    const bids = new LevelList(1024);
    const asks = new LevelList(1024);
    if (!readRows(tape, tape.field(book, "bids"), bids) || !readRows(tape, tape.field(book, "asks"), asks)) {
      return "depth snapshot: bad levels";
    }
    const time_ms = tape.integer(tape.field(book, "timestamp"));
    batch.push({
      kind: "book_snapshot",
      venue,
      symbol,
      received_us,
      sent_ms: time_ms > 0 && time_ms < MAX_TIME_MS ? time_ms : undefined,
      exchange_ms: undefined,
      last_id,
      depth_limit: depth_limit ?? Math.max(bids.size, asks.size),
      bids,
      asks,
    });
    return undefined;
  };
}
