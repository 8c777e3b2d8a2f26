/**
 * A Python that has a module from a Debian package. A program, not a service: its address is its path. The first Python
 * on PATH may lack the module that Debian's own Python gets.
 */
import { installDebianPackage } from "../debian.ts";
import type { ServiceKind } from "./service.ts";

const SYSTEM_PYTHON = "/usr/bin/python3";

/** `module` is what Python imports. */
export function pythonModule(name: string, debian_package: string, module: string): ServiceKind {
  return {
    name,
    env: `MDG_TEST_${name.toUpperCase()}`,
    program: "python3",
    debian_package,
    async existing() {
      for (const program of ["python3", SYSTEM_PYTHON]) if (await hasModule(program, module)) return program;
      return undefined;
    },
    async start() {
      const reason = await installDebianPackage(debian_package);
      if (reason) throw new Error(`python3 has no module ${module}, and it cannot be installed: ${reason}`);
      if (!await hasModule(SYSTEM_PYTHON, module)) {
        throw new Error(`${debian_package} was installed but brings no module ${module}`);
      }
      return { address: SYSTEM_PYTHON, stop: () => Promise.resolve() };
    },
  };
}

async function hasModule(program: string, module: string): Promise<boolean> {
  try {
    const check = new Deno.Command(program, {
      args: ["-c", `import ${module}`],
      stdout: "null",
      stderr: "null",
    });
    return (await check.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
