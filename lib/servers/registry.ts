/** The servers, under the names that configs use. One line a server; the assembler checks each against `ServerKind`. */
export { health } from "./health/health.ts";
export { websocket } from "./restream/websocket.ts";
export { restream } from "./restream/restream.ts";
export { grpc } from "./grpc/grpc.ts";
