/**
 * `mdg completions SHELL`: a script that teaches a shell the words and flags of mdg. It is generated from the same
 * declarations as help and needs no process per keystroke. Refuses: writing into the person's shell set-up itself.
 */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";

export const completions = defineCommand({
  summary: "Print a completion script for bash, zsh or fish",
  arguments: [{ name: "SHELL", doc: "bash, zsh or fish", required: true }],
  flags: {},
  examples: [
    { command: "source <(mdg completions bash)", doc: "bash, this session" },
    { command: 'mdg completions zsh > "${fpath[1]}/_mdg"', doc: "zsh, for good" },
    { command: "mdg completions fish > ~/.config/fish/completions/mdg.fish", doc: "fish, for good" },
  ],
  async run(world, _flags, [name]) {
    const [commands, shells, { completionModel }] = await Promise.all([
      import("./registry.ts"),
      import("../lib/cli/completions/registry.ts"),
      import("../lib/cli/completions/model.ts"),
    ]);
    const known = { ...shells };
    if (!Object.hasOwn(known, name)) {
      throw new UserError(
        `complete for shell ${JSON.stringify(name)}: want one of ${Object.keys(known).join(", ")}`,
        { code: 2 },
      );
    }
    await world.stdout(known[name as keyof typeof known].script(completionModel("mdg", commands)));
    return 0;
  },
});
