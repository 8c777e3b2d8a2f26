/**
 * One question to a running supervisor. What it refuses is thrown here as the same error, and a supervisor that is not
 * there, or is another user's, is told from one that answers badly.
 */
import { type Clock, withDeadline } from "../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import { controlPath } from "../workplace.ts";
import {
  type ControlAnswer,
  type ControlRequest,
  MAX_ANSWER_BYTES,
  readLine,
  writeLine,
} from "./protocol.ts";

/** Programs may take their time to stop: kill_timeout is 30 s by default, 7 days at most. */
const QUICK_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 3_600_000;

export async function askSupervisor(
  directory: string,
  request: ControlRequest,
  clock: Clock,
): Promise<ControlAnswer> {
  const connection = await connect(directory);
  try {
    const limit_ms = request.ask === "status" ? QUICK_LIMIT_MS : STOP_LIMIT_MS;
    const exchange = async () => {
      await writeLine(connection, request);
      return await readLine(connection, MAX_ANSWER_BYTES);
    };
    const line = await withDeadline(clock, limit_ms, "ask the supervisor", exchange());
    if (line === undefined) throw new UserError("ask the supervisor: it hung up, want an answer");
    const answer = JSON.parse(line) as ControlAnswer;
    if (answer.error) throw new UserError(answer.error.message, answer.error);
    return answer;
  } catch (error) {
    throw error instanceof UserError
      ? error
      : new UserError(`ask the supervisor in ${quoted(directory, 200)}: ${reasonOf(error)}`, {
        cause: error,
      });
  } finally {
    connection.close();
  }
}

async function connect(directory: string): Promise<Deno.Conn> {
  const fail = (reason: string, hint?: string) =>
    new UserError(`ask the supervisor in ${quoted(directory, 200)}: ${reason}`, { hint });
  try {
    return await Deno.connect({ transport: "unix", path: controlPath(directory) });
  } catch (error) {
    const { errors } = Deno;
    if (error instanceof errors.PermissionDenied || error instanceof errors.NotCapable) {
      throw fail("permission denied: it is another user's, want our own");
    }
    if (error instanceof errors.NotFound || error instanceof errors.ConnectionRefused) {
      throw fail(
        "none is running there, want a running one",
        "`mdg supervise FILE` starts one; --directory or MDG_SUPERVISE_DIRECTORY names another folder",
      );
    }
    throw fail(reasonOf(error));
  }
}
