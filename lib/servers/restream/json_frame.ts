/** Control messages as frames: rare, so they go through JSON.stringify. */
import { ByteWriter } from "../../wire/byte_writer.ts";
import { beginFrame, endTextFrame, type Frame } from "../../wire/websocket_frame.ts";

const writer = new ByteWriter(1_024);

export function jsonFrame(message: object): Frame {
  beginFrame(writer);
  writer.text(JSON.stringify(message));
  return endTextFrame(writer);
}
