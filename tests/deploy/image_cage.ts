/**
 * An image's files as a container engine would run them, without one: its own mounts and process ids (so it is process
 * 1), root read-only, /tmp in memory, the image's user, no way to more rights. The network is this machine's.
 */
import { until } from "../end_to_end/until.ts";
import { type BuiltImage, type Ran, runProgram } from "./image_builder.ts";

const ENTER = `
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mkdir -p "$1/proc" "$1/tmp"
mount -o remount,ro,bind "$1"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
root="$1" user="$2" folder="$3"
shift 3
cd "$root$folder"
exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"
`;

/** The arguments of `unshare` that run `words` in the image. */
function caged(image: BuiltImage, words: readonly string[]): string[] {
  const { root, config } = image;
  return [
    "--mount",
    "--pid",
    "--ipc",
    "--fork",
    "--kill-child",
    "sh",
    "-c",
    ENTER,
    "enter",
    root,
    config.User,
    config.WorkingDir,
    ...words,
  ];
}

/** Runs to its end. */
export async function runCaged(image: BuiltImage, words: readonly string[]): Promise<Ran> {
  return await runProgram("unshare", caged(image, words));
}

export class CagedProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<number>;
  said = "";
  exit_code: number | undefined;

  constructor(image: BuiltImage, words: readonly string[]) {
    const child = new Deno.Command("unshare", {
      args: caged(image, words),
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reading = (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) this.said += text;
    })();
    this.#child = child;
    this.#ended = Promise.all([child.status, reading]).then(([{ code }]) => this.exit_code = code);
  }
  get ended(): Promise<number> {
    return this.#ended;
  }
  /** Its id out here, and its lines of /proc/PID/status by name. */
  async inside(): Promise<{ pid: number; status: Map<string, string> }> {
    const pid = await until(
      "the process in the cage",
      async () => {
        const ids = await Deno.readTextFile(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`);
        const name = ids.trim() && await Deno.readTextFile(`/proc/${ids.trim()}/comm`).catch(() => "");
        return name !== "" && name.startsWith("mdg") && Number(ids);
      },
      20_000,
      () => this.said,
    );
    const text = await Deno.readTextFile(`/proc/${pid}/status`);
    return { pid, status: new Map([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map((one) => [one[1], one[2]])) };
  }
  /** `--kill-child` ends the cage with the one that made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.exit_code === undefined) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
