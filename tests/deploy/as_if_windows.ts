/**
 * Loaded before mdg (`deno run --preload`): the system calls itself Windows, has no C library, throws at signals that
 * Windows does not know, and has none of Linux's folders. Paths stay as they are: only the workflow shows those.
 */
const { build } = Deno;
const LINUX_FOLDER = /^\/(proc|sys|dev|run|etc)\b/;

const replace = (name: string, value: unknown) =>
  Object.defineProperty(Deno, name, { value, configurable: true, writable: true });

replace("build", { ...build, os: "windows", target: "x86_64-pc-windows-msvc" });
replace("dlopen", () => {
  throw new Deno.errors.NotFound("LoadLibraryExW failed: there is no such library on Windows");
});
for (const name of ["uid", "gid"]) replace(name, () => null);
const { addSignalListener } = Deno;
replace("addSignalListener", (signal: Deno.Signal, handler: () => void) => {
  if (!["SIGINT", "SIGBREAK", "SIGWINCH"].includes(signal)) {
    throw new TypeError(`Windows only supports ctrl-c (SIGINT), ctrl-break (SIGBREAK), got ${signal}`);
  }
  addSignalListener(signal, handler);
});
for (
  const name of [
    "readTextFileSync",
    "readTextFile",
    "openSync",
    "open",
    "statSync",
    "stat",
    "readDirSync",
  ] as const
) {
  const real = Deno[name] as (...args: unknown[]) => unknown;
  replace(name, (path: unknown, ...more: unknown[]) => {
    if (typeof path === "string" && LINUX_FOLDER.test(path)) {
      throw new Deno.errors.NotFound(`The system cannot find the path specified: ${path}`);
    }
    return real(path, ...more);
  });
}
