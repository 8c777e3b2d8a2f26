/** A program in a folder of its own that notes how it was called and what it was told, and does as the script says. */
export interface Call {
  readonly args: string[];
  readonly stdin: string;
}

export class FakeProgram implements AsyncDisposable {
  private constructor(readonly folder: string, readonly path: string) {}

  /** `script` runs in sh after everything was noted; "$@" are the arguments. */
  static async make(name: string, script = ""): Promise<FakeProgram> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-fake-" });
    const path = `${folder}/${name}`;
    const lines = [
      "#!/bin/sh",
      `n=$(mktemp "${folder}/call.XXXXXX")`,
      `{ for a in "$@"; do printf '%s\\0' "$a"; done; } > "$n.args"`,
      `cat > "$n.stdin"`,
      `mv "$n.stdin" "$n.said"`,
      script,
    ];
    await Deno.writeTextFile(path, `${lines.join("\n")}\n`, { mode: 0o755 });
    return new FakeProgram(folder, path);
  }
  /** In no order. */
  async calls(): Promise<Call[]> {
    const calls: Call[] = [];
    for await (const { name } of Deno.readDir(this.folder)) {
      if (!name.endsWith(".said")) continue;
      const args = await Deno.readTextFile(`${this.folder}/${name.replace(/said$/, "args")}`);
      calls.push({
        args: args.split("\0").slice(0, -1),
        stdin: await Deno.readTextFile(`${this.folder}/${name}`),
      });
    }
    return calls;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}
