/**
 * A Python that has grpc and protobuf (Debian's python3-grpcio): gRPC by the C core, which shares no code with our server.
 * A program: its address is its path.
 */
import { installDebianPackage } from "../debian.ts";
import type { ServiceKind } from "./service.ts";

const SYSTEM_PYTHON = "/usr/bin/python3";
const PACKAGES = ["python3-grpcio", "python3-protobuf"];

async function hasModules(program: string): Promise<boolean> {
  try {
    const args = ["-c", "import grpc, google.protobuf"];
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export const python_grpc: ServiceKind = {
  name: "python_grpc",
  env: "MDG_TEST_PYTHON_GRPC",
  program: "python3",
  debian_package: "python3-grpcio",
  async existing() {
    for (const program of ["python3", SYSTEM_PYTHON]) if (await hasModules(program)) return program;
    return undefined;
  },
  async start() {
    for (const name of PACKAGES) {
      const reason = await installDebianPackage(name);
      if (reason) throw new Error(`python3 has no module grpc, and it cannot be installed: ${reason}`);
    }
    if (!await hasModules(SYSTEM_PYTHON)) {
      throw new Error("python3-grpcio was installed but brings no module grpc");
    }
    return { address: SYSTEM_PYTHON, stop: () => Promise.resolve() };
  },
};
