/** A Python that has the library websockets, for the examples of WebSocket. */
import { pythonModule } from "./python_module.ts";

export const python_websockets = pythonModule("python_websockets", ["python3-websockets"], "websockets");
