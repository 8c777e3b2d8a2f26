/**
 * A PostgreSQL cluster in a folder of its own, on a free port, that its owner may kill and start again. PostgreSQL will
 * not run as root: there it runs as the user that the Debian package made.
 */
import { dirname, join } from "node:path";
import { type Clock, sleep } from "../lib/base/clock.ts";
import { freePort } from "./services/daemon.ts";

const START_LIMIT_MS = 30_000;
const POLL_MS = 25;

/** Whose the server is, and where it stands. */
type Owner = Pick<Deno.CommandOptions, "uid" | "gid" | "cwd">;

export class PostgresCluster implements AsyncDisposable {
  #server: Deno.ChildProcess | undefined;

  private constructor(
    readonly programs: string,
    readonly folder: string,
    readonly port: number,
    readonly owner: Owner,
    readonly clock: Clock,
  ) {}

  /** `initdb` is the path of that program; the others lie beside it. */
  static async create(initdb: string, clock: Clock, options: { password?: string } = {}) {
    const folder = await Deno.makeTempDir({ prefix: "mdg-postgres-" });
    // Another user may not be let into the folder that we are in.
    const owner: Owner = Deno.uid() === 0 ? { ...await idsOf("postgres"), cwd: "/" } : {};
    if (owner.uid !== undefined) await Deno.chown(folder, owner.uid, owner.gid ?? null);
    const cluster = new PostgresCluster(
      dirname(await Deno.realPath(initdb)),
      folder,
      freePort(),
      owner,
      clock,
    );
    const how = options.password === undefined
      ? ["--auth=trust"]
      : ["--auth=scram-sha-256", `--pwfile=${await cluster.#passwordFile(options.password)}`];
    const args = ["-D", cluster.#data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", ...how];
    const { success, stderr } = await new Deno.Command(initdb, {
      args,
      ...owner,
      stdout: "null",
      stderr: "piped",
    })
      .output();
    if (!success) throw new Error(`initdb: ${new TextDecoder().decode(stderr)}`);
    return cluster;
  }
  /** A standby that streams from this running primary, with a folder and port of its own; not started yet. */
  async createStandby(): Promise<PostgresCluster> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-postgres-" });
    const { owner, programs, clock } = this;
    if (owner.uid !== undefined) await Deno.chown(folder, owner.uid, owner.gid ?? null);
    const standby = new PostgresCluster(programs, folder, freePort(), owner, clock);
    const from = ["-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres"];
    const args = ["-D", standby.#data, "-R", "--no-sync", "--checkpoint=fast", ...from];
    const { success, stderr } = await new Deno.Command(join(programs, "pg_basebackup"), {
      args,
      ...owner,
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`pg_basebackup: ${new TextDecoder().decode(stderr)}`);
    return standby;
  }
  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }
  /** Process id of the server. */
  get pid(): number {
    return this.#server!.pid;
  }
  /** Resolves when it takes connections. `prefix` is put before the command: `taskset -c 1`. */
  async start(
    prefix: readonly string[] = [],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const wanted = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: this.folder,
      // A killed process loses nothing by it, only a fallen machine would; tests kill processes.
      fsync: "off",
      ...settings,
    };
    const flags = Object.entries(wanted).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const [program, ...args] = [...prefix, join(this.programs, "postgres"), "-D", this.#data, ...flags];
    const give_up_ms = this.clock.monotonic_ms() + START_LIMIT_MS;
    // After kill -9 the backends of the dead server need a moment to go; until then a new one refuses to start.
    for (let ended = true; !await this.#answers();) {
      if (this.clock.monotonic_ms() > give_up_ms) {
        throw new Error(`start postgres: not there in ${START_LIMIT_MS} ms`);
      }
      if (ended) {
        ended = false;
        this.#server = new Deno.Command(program, { args, ...this.owner, stdout: "null", stderr: "null" })
          .spawn();
        this.#server.status.then(() => ended = true);
      }
      await sleep(this.clock, POLL_MS);
    }
  }
  signal(name: Deno.Signal): void {
    this.#server!.kill(name);
  }
  /** kill -9. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#server!.status;
    this.#server = undefined;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server) {
      this.signal("SIGQUIT");
      await this.#server.status;
    }
    await Deno.remove(this.folder, { recursive: true });
  }

  get #data(): string {
    return join(this.folder, "data");
  }
  async #passwordFile(password: string): Promise<string> {
    const path = join(this.folder, "password");
    await Deno.writeTextFile(path, password, { mode: 0o600 });
    if (this.owner.uid !== undefined) await Deno.chown(path, this.owner.uid, this.owner.gid ?? null);
    return path;
  }
  async #answers(): Promise<boolean> {
    const args = ["-h", "127.0.0.1", "-p", String(this.port), "-q"];
    const { success } = await new Deno.Command(join(this.programs, "pg_isready"), { args }).output();
    return success;
  }
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) => {
    const { stdout } = await new Deno.Command("id", { args: [flag, user], stderr: "null" }).output();
    return Number(new TextDecoder().decode(stdout).trim());
  };
  return { uid: await id("-u"), gid: await id("-g") };
}
