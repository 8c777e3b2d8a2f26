/**
 * Passwords of what a command connects to. They never come by the command line, where everybody on the machine can read
 * them: a URL that holds one is refused, with the three ways that are fine.
 */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { knownSecrets } from "../base/known_secrets.ts";
import type { World } from "./command.ts";
import { asker } from "./read_input.ts";

export interface PasswordWays {
  /** "--from", "--to", "--url": whose URL it is. */
  readonly flag: string;
  readonly url: string;
  /** The variable that may hold it. */
  readonly variable: string;
  /** Absent: the flag with "-password-file" behind it. */
  readonly file_flag?: string;
  readonly file: string | undefined;
  /** Absent: "--ask-passwords". */
  readonly ask_flag?: string;
  readonly ask: boolean;
}

/** Undefined when there is none. @throws UserError (exit 2) for a password in the URL or a file that can't be read */
export async function passwordOf(world: World, ways: PasswordWays): Promise<string | undefined> {
  const { flag, url, variable, file_flag = `${flag}-password-file`, ask_flag = "--ask-passwords" } = ways;
  if (URL.canParse(url) && new URL(url).password !== "") {
    throw new UserError(
      `read "${flag}": the URL holds a password, which others see in the list of processes`,
      {
        code: 2,
        hint: `leave it out and set ${variable}, or say ${file_flag} FILE or ${ask_flag}`,
      },
    );
  }
  const password = await found(world, { ...ways, file_flag });
  if (password !== undefined) knownSecrets.add(password);
  return password;
}

async function found(
  world: World,
  { flag, url, file, file_flag, ask, variable }: PasswordWays & { file_flag: string },
): Promise<string | undefined> {
  if (file !== undefined) return await fromFile(world, file_flag, file);
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
