/**
 * buildah, which builds images without a daemon. A program: its address is its path. Installed is not enough: it needs
 * root and mounts.
 */
import type { ServiceKind } from "./service.ts";

export const buildah: ServiceKind = {
  name: "buildah",
  env: "MDG_TEST_BUILDAH",
  program: "buildah",
  debian_package: "buildah",
  existing: () => Promise.resolve(undefined),
  async start(program) {
    if (Deno.uid() !== 0) throw new Error("not root");
    const { success } = await new Deno.Command("unshare", {
      args: ["--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error("mounting is not allowed here");
    return { address: program, stop: () => Promise.resolve() };
  },
};
