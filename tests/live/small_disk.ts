/** A disk that is soon full, for tests of whoever writes files. */

/** A file system of one megabyte, or why there can be none. */
export async function mountSmall(): Promise<
  { directory: string; unmount(): Promise<void> } | { missing: string }
> {
  if (Deno.build.os !== "linux") return { missing: "no tmpfs here" };
  const directory = await Deno.makeTempDir({ prefix: "mdg-small-disk-" });
  const run = (program: string, ...args: string[]) => new Deno.Command(program, { args }).output();
  const { success, stderr } = await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory)
    .catch(() => ({ success: false, stderr: new Uint8Array() }));
  if (!success) {
    await Deno.remove(directory);
    return { missing: `a tmpfs cannot be mounted: ${new TextDecoder().decode(stderr).trim()}` };
  }
  return {
    directory,
    async unmount() {
      await run("umount", directory);
      await Deno.remove(directory);
    },
  };
}
