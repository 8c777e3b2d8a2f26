/**
 * `mdg zip`: a deployment bundle. The same files give the same bytes; a manifest tells the SHA-256 of each; a plain secret in
 * any of them refuses the whole. `--verify` reads a bundle back against its manifest and unpacks nothing.
 */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";

export const zip = defineCommand({
  summary: "Pack a deployment bundle, the same bytes every time; or verify one",
  description:
    "Names are relative to the current folder (or --directory). Entries are sorted, stamped with SOURCE_DATE_EPOCH (else " +
    "1980-01-01) and have mode 0644 or 0755; the last one, mdg-manifest.json, holds the SHA-256 of each. .git, the bundle " +
    "itself and what .zipignore names are left out; links must stay inside. Keys, tokens, passwords in URLs and config " +
    "values that are secrets refuse the bundle unless encrypted (ENC[age,…]) or allowed one by one; compressed files are " +
    "not looked into. Deflate may differ between releases of mdg: --level 0 gives the same bytes with any.",
  arguments: [{ name: "PATH", doc: "files and folders; default: the whole folder", many: true }],
  flags: {
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      doc: "write this archive, whole or not at all; default stdout, unless that is a terminal",
    },
    directory: {
      type: "text",
      short: "C",
      value: "DIR",
      default: ".",
      doc: "the folder that paths and names start from",
    },
    ignore: {
      type: "list",
      value: "PATTERN",
      doc: "leave out paths like this one, as a line of the ignore file",
    },
    "ignore-file": {
      type: "text",
      value: "FILE",
      default: ".zipignore",
      doc: "patterns of paths to leave out, one a line, in DIR",
    },
    "include-binary": { type: "boolean", doc: "put this program into the bundle as mdg" },
    binary: { type: "text", value: "FILE", doc: "the program to include instead, for another machine" },
    allow: {
      type: "list",
      value: "FINDING",
      doc: "let a finding pass, named file:line:kind as it was printed",
    },
    "allow-file": {
      type: "text",
      value: "FILE",
      default: ".zipallow",
      doc: "findings to let pass, one a line, in DIR",
    },
    level: {
      type: "number",
      value: "0-9",
      default: 6,
      integer: true,
      min: 0,
      max: 9,
      doc: "compression; 0 stores",
    },
    verify: {
      type: "text",
      value: "FILE",
      doc: "check this bundle against its manifest instead; exit 1 when it differs",
    },
    "max-gigabytes": {
      type: "number",
      value: "N",
      default: 100,
      min: 0,
      max: 1_000_000,
      doc: "with --verify: most that the bundle may hold, unpacked",
    },
  },
  examples: [
    { command: "mdg zip -o bundle.zip mdg.yaml scripts/", doc: "a config and a folder" },
    { command: "mdg zip -o bundle.zip --include-binary -C deploy", doc: "all of deploy/ and the program" },
    { command: "mdg zip --verify bundle.zip", doc: "before it is unpacked" },
  ],
  async run(world, flags, paths) {
    if (flags.verify !== undefined) {
      if (paths.length > 0 || flags.output !== undefined) {
        throw new UserError("verify: paths or --output are given too, want one archive to look at", {
          code: 2,
        });
      }
      const { verifyCommand } = await import("../lib/bundle/verify_command.ts");
      return await verifyCommand(world, flags.verify, flags["max-gigabytes"] * 1e9);
    }
    if (flags.output === undefined && world.stdout_is_terminal) {
      throw new UserError("write archive: stdout is a terminal, want -o FILE", { code: 2 });
    }
    const [{ packBundle }, { configSchema }] = await Promise.all([
      import("../lib/bundle/pack_bundle.ts"),
      import("../lib/gateway/config_schema.ts"),
    ]);
    await packBundle(world, { ...flags, paths, schema: configSchema().schema });
    return 0;
  },
});
