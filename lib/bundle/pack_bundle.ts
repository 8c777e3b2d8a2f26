/**
 * The whole of making a bundle: list, scan, pack, write whole or not at all, tell. What is asked comes from `mdg zip`; what
 * is secret in a config comes with the schema, because the plugins that know it live above.
 */
import { createHash } from "node:crypto";
import { quoted, UserError } from "../base/errors.ts";
import type { World } from "../cli/command.ts";
import { byteText, ProgressLine } from "../cli/progress_line.ts";
import { globToRegExp } from "../cli/text_files/glob.ts";
import { readIgnoreFile } from "../cli/text_files/ignore_file.ts";
import { absolutePath } from "../cli/text_files/read_text.ts";
import type { Schema } from "../config/schema_walk.ts";
import { archiveTime } from "../formats/zip/archive_time.ts";
import { writeWholeFile } from "../os/write_whole_file.ts";
import { includeBinary } from "./include_binary.ts";
import { type BundleFile, type FileList, listBundleFiles } from "./list_files.ts";
import { AllowList } from "./secret_scan/allow_list.ts";
import { SecretScan } from "./secret_scan/secret_scan.ts";
import { type BundleOptions, inspectFiles, writeBundle } from "./write_bundle.ts";

export interface PackRequest {
  /** Absent or "-": stdout. */
  output?: string;
  directory: string;
  paths: readonly string[];
  ignore: readonly string[];
  "ignore-file": string;
  "include-binary": boolean;
  binary?: string;
  allow: readonly string[];
  "allow-file": string;
  level: number;
  schema: Schema;
}

export async function packBundle(world: World, request: PackRequest): Promise<void> {
  const time = archiveTime(world.env.SOURCE_DATE_EPOCH);
  const root = absolutePath(world.cwd, request.directory);
  const { output } = request;
  const target = output === undefined || output === "-" ? undefined : absolutePath(world.cwd, output);
  const allowed = new AllowList([
    ...request.allow,
    ...AllowList.entriesOf(await textAt(absolutePath(root, request["allow-file"]))),
  ]);
  const list = await listed(request, root, target);
  const given_binary = request.binary === undefined ? undefined : absolutePath(world.cwd, request.binary);
  const wants_binary = request["include-binary"] || given_binary !== undefined;
  const program = wants_binary ? await includeBinary(list, given_binary) : undefined;
  for (const warning of list.warnings) world.stderr(`warning: ${warning}\n`);
  if (list.files.length === 0) {
    throw new UserError(`bundle ${quoted(request.directory, 200)}: no files, want at least one`);
  }
  const scan = new SecretScan(request.schema, allowed);
  // the program holds these very patterns, and was not written by the user
  const inspect = (file: BundleFile) => file === program ? undefined : scan.inspect(file);
  const packer = new Packer(world, list, { time, level: request.level, inspect }, () => scan.verdict());
  const summary = target === undefined ? await packer.toStdout() : await packer.toFile(target);
  for (const entry of allowed.unused) {
    world.stderr(`warning: allowed finding ${quoted(entry, 200)} was not found\n`);
  }
  world.stderr(`${target === undefined ? "stdout" : output}: ${summary}\n`);
}

class Packer {
  readonly #hash = createHash("sha256");
  readonly #total_bytes: number;
  #packed_bytes = 0;

  constructor(
    readonly world: World,
    readonly list: FileList,
    readonly packing: Omit<BundleOptions, "progress">,
    readonly verdict: () => void,
  ) {
    this.#total_bytes = list.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async toFile(target: string): Promise<string> {
    const line = this.#line("packing");
    try {
      await writeWholeFile(target, this.#archive(line));
    } finally {
      line.end();
    }
    return this.#summary();
  }

  /** What is written to stdout cannot be taken back, so the scan reads everything first. */
  async toStdout(): Promise<string> {
    const looking = this.#line("looking for secrets");
    await inspectFiles(this.list, this.#options(looking)).finally(() => looking.end());
    this.verdict();
    const line = this.#line("packing");
    try {
      for await (const piece of this.#archive(line)) await this.world.stdout(piece);
    } finally {
      line.end();
    }
    return this.#summary();
  }

  async *#archive(line: ProgressLine): AsyncGenerator<Uint8Array> {
    for await (const piece of writeBundle(this.list, this.#options(line))) {
      this.#hash.update(piece);
      this.#packed_bytes += piece.length;
      yield piece;
    }
    // before the file takes its name
    this.verdict();
  }

  #options(line: ProgressLine): BundleOptions {
    const progress = (bytes: number) => {
      this.world.signal.throwIfAborted();
      line.add(bytes);
    };
    return { ...this.packing, progress };
  }

  #line(verb: string): ProgressLine {
    const { clock, stderr_is_terminal: is_terminal, stderr } = this.world;
    return new ProgressLine({ verb, total_bytes: this.#total_bytes, clock, is_terminal, stderr });
  }

  #summary(): string {
    const { length } = this.list.files;
    const count = length === 1 ? "1 file" : `${length} files`;
    const sizes = `${byteText(this.#total_bytes)} in ${byteText(this.#packed_bytes)}`;
    return `${count}, ${sizes}, sha256 ${this.#hash.digest("hex")}`;
  }
}

async function listed(request: PackRequest, root: string, target: string | undefined): Promise<FileList> {
  try {
    const ignored = [
      ...await readIgnoreFile(root, request["ignore-file"]),
      ...request.ignore.map(globToRegExp),
    ];
    const own = target === undefined ? undefined : await Deno.realPath(target).catch(() => undefined);
    const excluded = new Set(own === undefined ? [] : [own]);
    const paths = request.paths.length > 0 ? request.paths : ["."];
    return await listBundleFiles({ root, paths, ignored, excluded });
  } catch (error) {
    const is_missing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!is_missing) throw error;
    throw new UserError(`read folder ${quoted(request.directory, 200)}: there is no such folder`, {
      code: 2,
    });
  }
}

async function textAt(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "";
    throw error;
  }
}
