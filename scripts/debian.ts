/**
 * Installs a Debian package where that is allowed: Linux, root, apt-get there. Daemons of the package are kept from
 * starting by the means Debian has for it (policy-rc.d), which is removed afterwards.
 */

const POLICY = "/usr/sbin/policy-rc.d";

/** Undefined when installed; else why not. */
export async function installDebianPackage(name: string): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "not Linux";
  if (Deno.uid() !== 0) return "not root";
  if (!await findProgram("apt-get")) return "no apt-get";
  const had_policy = await exists(POLICY);
  if (!had_policy) {
    await Deno.writeTextFile(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  }
  try {
    const install = ["install", "-y", "--no-install-recommends", name];
    if (await aptGet(install)) return undefined;
    await aptGet(["update"]);
    return await aptGet(install) ? undefined : `apt-get could not install ${name}`;
  } finally {
    if (!had_policy) await Deno.remove(POLICY);
  }
}

async function aptGet(args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command("apt-get", {
    args: ["-q", "-o", "DPkg::Lock::Timeout=60", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** The program's path, from PATH and then from `extra_folders`. */
export async function findProgram(
  name: string,
  extra_folders: readonly string[] = [],
): Promise<string | undefined> {
  const is_windows = Deno.build.os === "windows";
  const folders = (Deno.env.get("PATH") ?? "").split(is_windows ? ";" : ":");
  for (const folder of [...folders, ...extra_folders]) {
    if (folder === "") continue;
    const path = `${folder}/${name}${is_windows ? ".exe" : ""}`;
    if (await exists(path)) return path;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
