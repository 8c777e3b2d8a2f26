/**
 * A terminal of a given size with mdg in it, as a person at 80×24 has one: keys go in, the screen is read back. Through
 * tmux, with a server of its own that no user's configuration reaches. Ends with the test.
 */
import { mdgCommand } from "../mdg_process.ts";
import { until } from "./until.ts";

/** Why there is no terminal here; undefined: there is. */
export const no_tmux = await (async () => {
  try {
    await new Deno.Command("tmux", { args: ["-V"], stdout: "null", stderr: "null" }).output();
    return undefined;
  } catch {
    return "no tmux";
  }
})();

export class TmuxScreen implements AsyncDisposable {
  /** The server's socket lies in `folder`. */
  private constructor(readonly folder: string) {}

  static async start(
    args: readonly string[],
    { columns = 80, rows = 24 }: { columns?: number; rows?: number } = {},
  ): Promise<TmuxScreen> {
    const screen = new TmuxScreen(await Deno.makeTempDir({ prefix: "mdg-tmux-" }));
    const { program, args: leading } = mdgCommand();
    const size = ["-x", String(columns), "-y", String(rows)];
    const command = [program, ...leading, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(
      " ",
    );
    // What it says when it ends stays to be read.
    await screen.#tmux(
      "new-session",
      "-d",
      ...size,
      "-e",
      "LC_ALL=C.UTF-8",
      `${command}; echo "code $?"; exec cat`,
    );
    return screen;
  }
  /** The screen's lines, without blanks at their ends. */
  async text(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
  }
  /** Resolves with the screen once all of `wanted` stand on it. */
  async until(...wanted: RegExp[]): Promise<string> {
    let text = "";
    return await until(
      `a screen with ${wanted.join(" and ")}`,
      async () => {
        text = await this.text();
        return wanted.every((one) => one.test(text)) && text;
      },
      30_000,
      () => `\n${text}`,
    );
  }
  /** By tmux's names: "q", "F2", "Space". */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    await Deno.remove(this.folder, { recursive: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-S", `${this.folder}/socket`, "-f", "/dev/null", ...args],
      env: { LC_ALL: "C.UTF-8" },
    }).output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
