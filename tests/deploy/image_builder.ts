/**
 * The image's own Dockerfile, built by buildah in a store of its own, without a registry: its bases are stand-ins made of
 * this machine's files (a shell and what it links for the build, the C library and authorities for the result). Nothing
 * else of this machine is in them, so what the build or the binary needs and the Dockerfile does not bring fails here.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { path } from "../mdg_process.ts";

const BUILD_PROGRAMS = ["sh", "mkdir"];
/** What distroless/cc brings, as names of the dynamic linker. */
const RESULT_LIBRARIES =
  /^(ld-linux-.*|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libresolv|libnss_.*)\.so/;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export async function runProgram(program: string, args: readonly string[]): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A finished image: its config, and its files under `root`. */
export interface BuiltImage {
  root: string;
  config: {
    User: string;
    Entrypoint: string[];
    Cmd: string[];
    WorkingDir: string;
    Labels: Record<string, string>;
    StopSignal: string;
    ExposedPorts: Record<string, unknown>;
    Healthcheck: { Test: string[] };
  };
}

export class ImageBuilder implements AsyncDisposable {
  readonly #store: string[];
  private constructor(readonly program: string, readonly folder: string) {
    this.#store = [
      "--root",
      `${folder}/store`,
      "--runroot",
      `${folder}/run`,
      "--storage-driver",
      "vfs",
    ];
  }

  static async open(program: string): Promise<ImageBuilder> {
    return new ImageBuilder(program, await Deno.makeTempDir({ prefix: "mdg-image-" }));
  }
  /** Runs the Dockerfile on the files of `context`, which is a clean checkout. */
  async build(context: string): Promise<BuiltImage> {
    await this.#standIn("deno", async (root) => await copyTo(root, Deno.execPath(), "/deno"));
    await this.#standIn("build", (root) => copyPrograms(root, BUILD_PROGRAMS));
    await this.#standIn("base", copyLibraries);
    const machine = await this.#machine();
    await this.#run(
      "build",
      "--isolation=chroot",
      "--format=docker",
      "--pull-never",
      "--file",
      path("deploy/Dockerfile"),
      "--ignorefile",
      path("deploy/Dockerfile.dockerignore"),
      ...["deno", "build", "base"].flatMap((name) => [
        "--build-arg",
        `${name.toUpperCase()}_IMAGE=localhost/${name}`,
      ]),
      ...machine,
      "--tag",
      "localhost/mdg",
      context,
    );
    const { Docker } = JSON.parse(await this.#run("inspect", "--type", "image", "localhost/mdg"));
    const container = (await this.#run("from", "--pull-never", "localhost/mdg")).trim();
    return { root: (await this.#run("mount", container)).trim(), config: Docker.config };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("umount", "--all").catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }

  /** What this machine needs where it can't reach the internet: its packages' cache and its base runtime. */
  async #machine(): Promise<string[]> {
    const { stdout } = await runProgram(Deno.execPath(), ["info", "--json"]);
    const cache: string = JSON.parse(stdout).denoDir;
    const args = ["--volume", `${cache}:/deno-dir`];
    const denort = Deno.env.get("DENORT_BIN");
    if (denort) args.push("--volume", `${denort}:/denort:ro`, "--build-arg", "DENORT_BIN=/denort");
    return args;
  }
  async #standIn(name: string, fill: (root: string) => Promise<void>): Promise<void> {
    const root = `${this.folder}/${name}`;
    await Deno.mkdir(`${root}/tmp`, { recursive: true, mode: 0o1777 });
    await fill(root);
    const container = (await this.#run("from", "scratch")).trim();
    await this.#run("copy", container, `${root}/`, "/");
    await this.#run("commit", "--rm", container, `localhost/${name}`);
    await Deno.remove(root, { recursive: true });
  }
  async #run(word: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram(this.program, [...this.#store, word, ...args]);
    assert.equal(code, 0, `buildah ${word}: ${(stdout + stderr).slice(-2_000)}`);
    return stdout;
  }
}

async function copyPrograms(root: string, names: readonly string[]): Promise<void> {
  const programs: string[] = [];
  for (const name of names) {
    const found = await Deno.realPath(`/bin/${name}`);
    await copyTo(root, found, `/bin/${name}`);
    programs.push(found);
  }
  for (const library of await librariesOf([...programs, Deno.execPath()])) {
    await copyTo(root, library, library);
  }
}

async function copyLibraries(root: string): Promise<void> {
  for (const library of await librariesOf([Deno.execPath(), "/bin/sh"])) {
    const name = library.slice(library.lastIndexOf("/") + 1);
    if (RESULT_LIBRARIES.test(name)) await copyTo(root, library, library);
  }
  await copyTo(root, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt");
  await Deno.writeTextFile(
    `${root}/etc/passwd`,
    "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
  );
}

async function librariesOf(programs: readonly string[]): Promise<Set<string>> {
  const { stdout } = await runProgram("ldd", programs);
  return new Set([...stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map((one) => one[1]));
}

async function copyTo(root: string, from: string, to: string): Promise<void> {
  await Deno.mkdir(root + dirname(to), { recursive: true });
  await Deno.copyFile(from, root + to);
}
