/**
 * A C library's header from a Debian package, for examples in C. Its address is the linker's flag. Looked for where
 * Debian puts it: whoever has it elsewhere sets the variable.
 */
import { installDebianPackage } from "../debian.ts";
import type { ServiceKind } from "./service.ts";

export function cLibrary(name: string, debian_package: string, header: string, flag: string): ServiceKind {
  const isThere = () =>
    Deno.stat(`/usr/include/${header}`).then(() => true, (error) => {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    });
  return {
    name,
    env: `MDG_TEST_${name.toUpperCase()}`,
    program: "gcc",
    debian_package: "build-essential",
    existing: async () => await isThere() ? flag : undefined,
    async start() {
      const reason = await installDebianPackage(debian_package);
      if (reason) throw new Error(`no ${header}, and it cannot be installed: ${reason}`);
      if (!await isThere()) throw new Error(`${debian_package} was installed but brings no ${header}`);
      return { address: flag, stop: () => Promise.resolve() };
    },
  };
}
