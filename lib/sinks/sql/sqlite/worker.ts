/**
 * The Worker around the writer: requests in, answers out, one by one. SQLite is synchronous, and a slow disk must not
 * stop the feeds.
 */
/// <reference lib="deno.worker" />
import { reasonOf } from "../../../base/errors.ts";
import type { Answer, Request } from "./messages.ts";
import { SqliteWriter } from "./writer.ts";

let writer: SqliteWriter | undefined;

function handle(request: Request): Answer {
  switch (request.kind) {
    case "open":
      writer = new SqliteWriter(request.path);
      return { ok: true };
    case "write":
      return { ok: true, refused: writer!.write(request.groups) };
    case "expire":
      return { ok: true, removed: writer!.expire(request.before) };
    case "close":
      writer?.close();
      return { ok: true };
  }
}

self.onmessage = ({ data }: MessageEvent<Request>) => {
  try {
    self.postMessage(handle(data));
  } catch (error) {
    self.postMessage({ ok: false, reason: reasonOf(error) } satisfies Answer);
  }
};
