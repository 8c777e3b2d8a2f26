/**
 * The Worker of a recorder: packs, writes and syncs, so that the feed's thread never waits for a disk. Requests are done
 * one after the other; one that fails is tried again, and those behind it wait, bounded by the buffers that the recorder
 * has. Refuses: losing a request it took, unless the policy is to stop.
 */
/// <reference lib="deno.worker" />
import { systemClock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Answer, FullPolicy, OpenRequest, Request } from "./messages.ts";
import { SegmentStore } from "./segment_store.ts";

const RETRY_MS = 500;
const queue: Request[] = [];
let store: SegmentStore | undefined;
let policy: FullPolicy = "wait";
let is_waiting = false;
let in_trouble = false;
let is_over = false;

self.onmessage = ({ data }: MessageEvent<Request>) => {
  queue.push(data);
  if (!is_waiting) work();
};

function work(): void {
  is_waiting = false;
  while (queue.length > 0 && !is_over) {
    try {
      handle(queue[0]);
      queue.shift();
      if (in_trouble) say({ kind: "fine" });
      in_trouble = false;
    } catch (error) {
      if (recovers(error)) continue;
      is_waiting = true;
      systemClock.after(RETRY_MS, work);
      return;
    }
  }
}

function handle(request: Request): void {
  if (request.kind === "open") return open(request);
  if (request.kind === "block") {
    const before = store!.segment_bytes;
    store!.append({ ...request, bytes: new Uint8Array(request.buffer) });
    const { segment, segment_bytes } = store!;
    const { buffer } = request;
    const packed_bytes = segment_bytes - before;
    self.postMessage(
      { kind: "written", buffer, segment, segment_bytes, packed_bytes } satisfies Answer,
      [buffer],
    );
    return;
  }
  store!.end(request.content, request.kind === "rotate" ? "rotated" : "stopped");
  if (request.kind === "close") return finish({ kind: "closed" });
  for (const gone of store!.expire()) say({ kind: "deleted", ...gone });
}

function open(request: OpenRequest): void {
  policy = request.on_full;
  store ??= new SegmentStore({ ...request, now_ms: () => systemClock.now_ms() });
  store.open();
  for (const gone of store.expire()) say({ kind: "deleted", ...gone });
  systemClock.every(request.sync_ms, sync);
  say({ kind: "opened" });
}

function sync(): void {
  if (is_over || in_trouble) return;
  try {
    store!.sync();
  } catch (error) {
    say({ kind: "trouble", reason: `sync: ${reasonOf(error)}` });
  }
}

/** True when the request may be tried again at once. */
function recovers(error: unknown): boolean {
  const reason = reasonOf(error);
  if (policy === "delete-oldest" && isFull(error)) {
    const name = store!.deleteOldest();
    if (name !== undefined) {
      say({ kind: "deleted", name, why: "disk full" });
      return true;
    }
  }
  if (policy === "stop" || queue[0].kind === "open") {
    store?.abandon();
    finish({ kind: "failed", reason });
    return true;
  }
  if (!in_trouble) say({ kind: "trouble", reason });
  in_trouble = true;
  return false;
}

function isFull(error: unknown): boolean {
  return error instanceof Error &&
    ("code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT") ||
      /no space left|disk quota/i.test(error.message));
}
function finish(answer: Answer): void {
  is_over = true;
  say(answer);
}
function say(answer: Answer): void {
  self.postMessage(answer);
}
