/**
 * Changes to a tenants file by command: read, changed, checked, written whole, all under a lock that ends with the process,
 * so that two commands at once lose nothing. Comments and spelling of YAML stay; plain JSON is laid out anew. Refuses JSON5
 * and JSONC, whose comments it could not keep, and any result that would not be a valid tenants file.
 */
import { basename, dirname, isAbsolute, join } from "node:path";
import { isScalar, isSeq, parseDocument, visit } from "yaml";
import { type Clock, sleep } from "../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import { type ConfigFormat, formatOf, readSource } from "../../config/read_source.ts";
import { SourceText } from "../../formats/source_text.ts";
import { writeWholeFile } from "../../os/write_whole_file.ts";
import { readTenants, type TenantsFile } from "./tenants_file.ts";

const LOCK_MS = 5_000;
const LOOK_MS = 20;

const NEW_FILE = `# Who may connect to mdg, and what each may have. \`mdg tenant\` writes here; so may you.
version: 1
tenants: []
`;

type Path = readonly (string | number)[];

/** A text under change. */
interface EditableText {
  set(path: Path, value: unknown): void;
  /** Appends to the list at `path`, which need not be there yet. */
  append(path: Path, value: unknown): void;
  toString(): string;
}

export interface TenantsEdit {
  readonly file: TenantsFile;
  readonly text: EditableText;
}

/** Reads the file without changing it. @throws UserError, ConfigError */
export async function loadTenants(path: string, cwd: string): Promise<TenantsFile> {
  return readTenants(await readSource(path, cwd), formatOf(path));
}

/** Applies `edit` and writes what came of it. `may_create`: a file that is not there is begun. @throws UserError, ConfigError */
export async function editTenants<Result>(
  path: string,
  world: { cwd: string; clock: Clock; signal?: AbortSignal },
  options: { may_create: boolean },
  edit: (tenants: TenantsEdit) => Result,
): Promise<Result> {
  const format = formatOf(path);
  if (format !== "yaml" && format !== "json") {
    throw new UserError(`change ${quoted(path, 200)}: its comments could not be kept, want .yaml or .json`, {
      code: 2,
      hint: "`mdg j5-to-yaml` converts it with its comments",
    });
  }
  const full = isAbsolute(path) ? path : join(world.cwd, path);
  using _lock = await lock(full, path, world);
  const source = options.may_create && !(await exists(full))
    ? new SourceText(path, format === "yaml" ? NEW_FILE : '{"version":1,"tenants":[]}')
    : await readSource(path, world.cwd);
  const text = format === "yaml" ? new YamlText(source.text) : new JsonText(source.text);
  const result = edit({ file: readTenants(source, format), text });
  const changed = text.toString();
  checkChanged(path, changed, format);
  await writeWholeFile(full, changed, { mode: 0o600 });
  return result;
}

/** A file that we would not read ourselves is not written. */
function checkChanged(path: string, text: string, format: ConfigFormat): void {
  try {
    readTenants(new SourceText(path, text), format);
  } catch (error) {
    const reason = error instanceof UserError
      ? error.message.split("\n").slice(1).join("; ")
      : reasonOf(error);
    throw new UserError(`change ${quoted(path, 200)}: it would not be valid: ${reason.trim()}`, {
      code: 2,
      cause: error,
    });
  }
}

class YamlText implements EditableText {
  readonly #document;

  constructor(text: string) {
    this.#document = parseDocument(text);
  }
  set(path: Path, value: unknown): void {
    this.#document.setIn(path, this.#node(value));
  }
  append(path: Path, value: unknown): void {
    const list = this.#document.getIn(path);
    if (!isSeq(list)) return this.set(path, [value]);
    // `[]` is how an empty list is written; with something in it lines read better
    if (list.items.length === 0) list.flow = false;
    list.add(this.#node(value));
  }
  /** Lists of words stand in one line. */
  #node(value: unknown): unknown {
    const node = this.#document.createNode(value);
    visit(node, {
      Seq: (_, seq) => {
        if (seq.items.every((item) => isScalar(item))) seq.flow = true;
      },
    });
    return node;
  }
  toString(): string {
    return this.#document.toString({ lineWidth: 0, flowCollectionPadding: false });
  }
}

class JsonText implements EditableText {
  readonly #root: unknown;

  constructor(text: string) {
    this.#root = JSON.parse(text);
  }
  set(path: Path, value: unknown): void {
    const above = this.#at(path.slice(0, -1)) as Record<string | number, unknown>;
    above[path[path.length - 1]] = value;
  }
  append(path: Path, value: unknown): void {
    const list = this.#at(path);
    if (Array.isArray(list)) list.push(value);
    else this.set(path, [value]);
  }
  #at(path: Path): unknown {
    return path.reduce((value, step) => (value as Record<string | number, unknown>)?.[step], this.#root);
  }
  toString(): string {
    return JSON.stringify(this.#root, null, 2) + "\n";
  }
}

/** A file beside it, since the file itself is replaced at every change; it is left there, since to remove it is a race. */
async function lock(
  full: string,
  path: string,
  world: { clock: Clock; signal?: AbortSignal },
): Promise<Disposable> {
  const fail = (reason: string, cause?: unknown) =>
    new UserError(`lock ${quoted(path, 200)}: ${reason}`, { cause });
  let file: Deno.FsFile;
  try {
    file = await Deno.open(join(dirname(full), `.${basename(full)}.lock`), {
      write: true,
      create: true,
      mode: 0o600,
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw fail("its folder does not exist, want an existing one");
    throw fail(reasonOf(error), error);
  }
  const until_ms = world.clock.monotonic_ms() + LOCK_MS;
  while (!await file.tryLock(true)) {
    if (world.clock.monotonic_ms() > until_ms || world.signal?.aborted) {
      file.close();
      throw fail(`another command has held it for ${LOCK_MS / 1000} s, want it to end`);
    }
    await sleep(world.clock, LOOK_MS, world.signal);
  }
  return { [Symbol.dispose]: () => file.close() };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
