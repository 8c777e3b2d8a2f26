/**
 * A Python that has modules from Debian packages. A program, not a service: its address is its path. The first Python
 * on PATH may lack modules that Debian's own Python gets.
 */
import { installDebianPackage } from "../debian.ts";
import type { ServiceKind } from "./service.ts";

const SYSTEM_PYTHON = "/usr/bin/python3";

/** `modules` is what Python imports, with commas. */
export function pythonModule(name: string, debian_packages: readonly string[], modules: string): ServiceKind {
  return {
    name,
    env: `MDG_TEST_${name.toUpperCase()}`,
    program: "python3",
    debian_package: debian_packages[0],
    async existing() {
      for (const program of ["python3", SYSTEM_PYTHON]) {
        if (await hasModules(program, modules)) return program;
      }
      return undefined;
    },
    async start() {
      for (const debian_package of debian_packages) {
        const reason = await installDebianPackage(debian_package);
        if (reason) {
          throw new Error(`python3 has no ${modules}, and ${debian_package} cannot be installed: ${reason}`);
        }
      }
      if (!await hasModules(SYSTEM_PYTHON, modules)) {
        throw new Error(`${debian_packages.join(" ")} was installed but brings no ${modules}`);
      }
      return { address: SYSTEM_PYTHON, stop: () => Promise.resolve() };
    },
  };
}

async function hasModules(program: string, modules: string): Promise<boolean> {
  try {
    const check = new Deno.Command(program, {
      args: ["-c", `import ${modules}`],
      stdout: "null",
      stderr: "null",
    });
    return (await check.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
