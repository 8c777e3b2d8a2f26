/**
 * grpc-js on Node: a gRPC client that shares no code with our server. Installed by npm into a folder of its own, which is
 * its address.
 */
import type { ServiceKind } from "./service.ts";

const PACKAGES = ["@grpc/grpc-js@1.14.7", "@grpc/proto-loader@0.8.1"];

export const grpc_js: ServiceKind = {
  name: "grpc_js",
  env: "MDG_TEST_GRPC_JS",
  program: "npm",
  debian_package: "npm",
  existing: () => Promise.resolve(undefined),
  async start(program) {
    const folder = await Deno.makeTempDir({ prefix: "mdg-grpc-js-" });
    const stop = () => Deno.remove(folder, { recursive: true });
    const { success, stderr } = await new Deno.Command(program, {
      args: ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", ...PACKAGES],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return { address: folder, stop };
    await stop();
    const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw new Error(`npm could not install ${PACKAGES.join(" and ")}: ${reason}`);
  },
};
