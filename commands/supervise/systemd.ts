/** `mdg supervise systemd FILE`: a hardened unit for the supervisor, on stdout. */
import { isAbsolute, join } from "node:path";
import { quoted, UserError } from "../../lib/base/errors.ts";
import { defineCommand } from "../../lib/cli/command.ts";
import { askingWorld } from "../../lib/cli/read_input.ts";

const USER = /^[a-z_][a-z0-9_-]*\$?$/;
const FOLDER_NAME = /^[A-Za-z0-9_.-]+$/;

export const systemd = defineCommand({
  summary: "Print a hardened systemd unit that runs a supervise file",
  description:
    "Type=notify with a watchdog; programs survive a crash of the supervisor and are taken over by the next one; no new " +
    "privileges, a read-only system, no devices. What the programs need to write must be named with --write.",
  arguments: [{ name: "FILE", doc: "The supervise file", required: true }],
  flags: {
    user: { type: "text", value: "USER", default: "mdg", doc: "whom everything runs as" },
    binary: { type: "text", value: "FILE", doc: "the mdg binary; absent: this one, or /usr/local/bin/mdg" },
    write: { type: "list", value: "DIR", doc: "further folders that programs write to" },
    runtime: {
      type: "text",
      value: "NAME",
      default: "mdg-supervise",
      doc: "folder below /run for socket and state",
    },
  },
  examples: [{
    command: "mdg supervise systemd /etc/mdg/supervise.yaml > /etc/systemd/system/mdg.service",
    doc: "then: systemctl daemon-reload && systemctl enable --now mdg",
  }],
  async run(world, flags, [file]) {
    const [{ loadSuperviseFile }, { systemdUnit }] = await Promise.all([
      import("../../lib/supervisor/load_supervise_file.ts"),
      import("../../lib/supervisor/systemd_unit.ts"),
    ]);
    refuseUnless(USER.test(flags.user), "user", flags.user, "a user's name");
    refuseUnless(FOLDER_NAME.test(flags.runtime), "runtime", flags.runtime, "one folder's name");
    const { value: config } = await loadSuperviseFile(file, askingWorld(world));
    const absolute = (path: string) => isAbsolute(path) ? path : join(world.cwd, path);
    const own = Deno.build.standalone ? Deno.execPath() : "/usr/local/bin/mdg";
    await world.stdout(systemdUnit({
      file: absolute(file),
      binary: absolute(flags.binary ?? own),
      user: flags.user,
      runtime: flags.runtime,
      writable: flags.write.map(absolute),
      config,
    }));
    return 0;
  },
});

function refuseUnless(is_fine: boolean, flag: string, value: string, wanted: string): void {
  if (!is_fine) throw new UserError(`read --${flag}: ${quoted(value)}, want ${wanted}`, { code: 2 });
}
