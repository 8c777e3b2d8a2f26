/**
 * Passwords of the two ends of a proxy. They never come by the command line, where everybody on the machine can read
 * them: a URL that holds one is refused, with the three ways that are fine.
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../lib/base/errors.ts";
import { knownSecrets } from "../../lib/base/known_secrets.ts";
import type { World } from "../../lib/cli/command.ts";
import { asker } from "../../lib/cli/read_input.ts";

export interface PasswordWays {
  /** "--from" or "--to". */
  readonly flag: string;
  readonly url: string;
  /** The variable that may hold it. */
  readonly variable: string;
  readonly file: string | undefined;
  readonly ask: boolean;
}

/** Undefined when there is none. @throws UserError (exit 2) for a password in the URL or a file that can't be read */
export async function passwordOf(world: World, ways: PasswordWays): Promise<string | undefined> {
  const { flag, url, variable, file, ask } = ways;
  if (URL.canParse(url) && new URL(url).password !== "") {
    throw new UserError(
      `read "${flag}": the URL holds a password, which others see in the list of processes`,
      {
        code: 2,
        hint: `leave it out and set ${variable}, or say ${flag}-password-file FILE or --ask-passwords`,
      },
    );
  }
  const password = await found(world, { flag, file, ask, variable, url });
  if (password !== undefined) knownSecrets.add(password);
  return password;
}

async function found(
  world: World,
  { flag, url, file, ask, variable }: PasswordWays,
): Promise<string | undefined> {
  if (file !== undefined) return await fromFile(world, `${flag}-password-file`, file);
  if (world.env[variable]) return world.env[variable];
  if (!ask) return undefined;
  const question = asker(world);
  if (question) {
    return await question(`password for ${flag} (${new URL(url).host}), empty for none: `) || undefined;
  }
  throw new UserError(`ask for the password of ${flag}: stdin is no terminal, want ${variable} or a file`, {
    code: 2,
  });
}

async function fromFile(world: World, flag: string, file: string): Promise<string> {
  try {
    const text = await Deno.readTextFile(isAbsolute(file) ? file : join(world.cwd, file));
    const password = text.replace(/\r?\n$/, "");
    if (password !== "") return password;
  } catch (error) {
    throw new UserError(`read "${flag}": ${quoted(file, 200)}: ${reasonOf(error)}`, {
      code: 2,
      cause: error,
    });
  }
  throw new UserError(`read "${flag}": ${quoted(file, 200)} is empty, want a password`, { code: 2 });
}
