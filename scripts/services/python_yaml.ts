/**
 * A Python that has PyYAML: a YAML 1.1 reader that shares no code with ours. A program, not a service: its address is
 * its path. The first Python on PATH may lack the module that Debian's own Python gets from python3-yaml.
 */
import { installDebianPackage } from "../debian.ts";
import type { ServiceKind } from "./service.ts";

async function hasModule(program: string): Promise<boolean> {
  try {
    const check = new Deno.Command(program, { args: ["-c", "import yaml"], stdout: "null", stderr: "null" });
    return (await check.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const SYSTEM_PYTHON = "/usr/bin/python3";

export const python_yaml: ServiceKind = {
  name: "python_yaml",
  env: "MDG_TEST_PYTHON_YAML",
  program: "python3",
  debian_package: "python3-yaml",
  async existing() {
    for (const program of ["python3", SYSTEM_PYTHON]) if (await hasModule(program)) return program;
    return undefined;
  },
  async start(program) {
    const stop = () => Promise.resolve();
    if (await hasModule(program)) return { address: program, stop };
    const reason = await installDebianPackage("python3-yaml");
    if (reason) throw new Error(`python3 has no module yaml, and it cannot be installed: ${reason}`);
    if (!await hasModule(SYSTEM_PYTHON)) {
      throw new Error("python3-yaml was installed but brings no module yaml");
    }
    return { address: SYSTEM_PYTHON, stop };
  },
};
