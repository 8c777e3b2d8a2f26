/** A WebSocket client library in C. */
import { cLibrary } from "./c_library.ts";

export const libwebsockets = cLibrary(
  "libwebsockets",
  "libwebsockets-dev",
  "libwebsockets.h",
  "-lwebsockets",
);
