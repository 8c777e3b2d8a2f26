/**
 * A terminal without a window (tmux on a socket of its own): mdg runs in it as for a person, the test types, resizes and
 * reads the screen. Disposing ends this tmux and what runs in it.
 */
import { mdgCommand } from "../mdg_process.ts";
import { until } from "../end_to_end/until.ts";

const DRAW_LIMIT_MS = 30_000;

export interface TmuxOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export class TmuxScreen implements AsyncDisposable {
  private constructor(readonly tmux: string, readonly socket: string, readonly folder: string) {}

  /** A shell that runs mdg with these arguments; it stays when mdg has ended. */
  static async start(tmux: string, args: readonly string[], options: TmuxOptions = {}): Promise<TmuxScreen> {
    const { columns = 80, rows = 24, env = {} } = options;
    const folder = await Deno.makeTempDir({ prefix: "mdg-tmux-" });
    const screen = new TmuxScreen(tmux, `${folder}/socket`, folder);
    const { program, args: leading } = mdgCommand();
    const words = [program, ...leading, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(
      " ",
    );
    await Deno.writeTextFile(
      `${folder}/run.sh`,
      `sh -c 'echo $$ > ${folder}/pid; exec "$@"' mdg ${words}\necho "ended with $?"; exec sleep 600\n`,
    );
    await screen.#tmux(
      ["-f", "/dev/null", "new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, `sh ${folder}/run.sh`],
      { LANG: "C.UTF-8", TERM: "xterm-256color", ...env },
    );
    return screen;
  }
  /** The lines shown; with `styled` the colours, too. */
  async lines(styled = false): Promise<string[]> {
    const text = await this.#tmux(["capture-pane", "-p", ...styled ? ["-e"] : []]);
    return text.split("\n").slice(0, -1);
  }
  /** Resolves with the screen once it shows this. */
  async shows(pattern: RegExp): Promise<string> {
    let text = "";
    return await until(
      `${pattern} on the screen`,
      async () => {
        text = (await this.lines()).join("\n");
        return pattern.test(text) && text;
      },
      DRAW_LIMIT_MS,
      () => `\n${text}`,
    );
  }
  /** Names as tmux has them: "q", "F2", "Space", "C-c". */
  async type(...keys: string[]): Promise<void> {
    await this.#tmux(["send-keys", ...keys]);
  }
  /** To the mdg that runs here. */
  async signalMdg(name: Deno.Signal): Promise<void> {
    Deno.kill(Number(await Deno.readTextFile(`${this.folder}/pid`)), name);
  }
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux(["resize-window", "-x", `${columns}`, "-y", `${rows}`]);
  }
  /** A program has the alternate screen, hides the cursor. */
  async state(): Promise<{ alternate: boolean; cursor: boolean }> {
    const text = await this.#tmux(["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
    const [alternate, cursor] = text.trim().split(" ").map((flag) => flag === "1");
    return { alternate, cursor };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux(["kill-server"]).catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }

  async #tmux(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(this.tmux, {
      args: ["-S", this.socket, ...args],
      env,
    })
      .output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
