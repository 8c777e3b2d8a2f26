/** The compiler of protobuf files. A program: its address is its path. */
import type { ServiceKind } from "./service.ts";

export const protoc: ServiceKind = {
  name: "protoc",
  env: "MDG_TEST_PROTOC",
  program: "protoc",
  debian_package: "protobuf-compiler",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
