/**
 * What a test run needs from outside, one file per need. Order of preference: one that already answers, one started
 * here from the installed program, one started from a Debian package installed for the purpose, none (tests skip).
 * Refuses: touching data of a service it did not start — tests use keys and names of their own.
 */
import type { Clock } from "../../lib/base/clock.ts";

export interface ServiceKind {
  readonly name: string;
  /** The variable that hands the address to the tests. */
  readonly env: string;
  /** The program that makes the service, looked for on PATH and then in `extra_folders`. */
  readonly program: string;
  readonly extra_folders?: readonly string[];
  readonly debian_package: string;
  /** The address of one that already answers on its standard port. */
  existing(clock: Clock): Promise<string | undefined>;
  start(program: string, clock: Clock): Promise<RunningService>;
}

export interface RunningService {
  address: string;
  stop(): Promise<void>;
}

/** The variable that says why there is no address. */
export function missingEnv(kind: Pick<ServiceKind, "env">): string {
  return `${kind.env}_MISSING`;
}
