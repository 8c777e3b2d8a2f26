/** A Python that has grpc and protobuf: gRPC by the C core, which shares no code with our server. */
import { pythonModule } from "./python_module.ts";

export const python_grpc = pythonModule(
  "python_grpc",
  ["python3-grpcio", "python3-protobuf"],
  "grpc, google.protobuf",
);
