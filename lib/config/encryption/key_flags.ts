/**
 * The flags by which encrypting and decrypting commands take keys: `--recipient`, `--recipients-file` and `--identity` mean
 * what they mean to `age`. Said once here; each command spreads them into its own.
 */
import { UserError } from "../../base/errors.ts";
import type { KeySources, KeyWorld } from "./key_ring.ts";

export const IDENTITY_FLAGS = {
  identity: {
    type: "list",
    short: "i",
    value: "FILE",
    doc: "age identity file, mode 0600; default MDG_IDENTITY_FILE, MDG_IDENTITY, or the config's own",
  },
  passphrase: { type: "boolean", short: "p", doc: "use a passphrase: MDG_PASSPHRASE, else asked for" },
} as const;

export const RECIPIENT_FLAGS = {
  recipient: {
    type: "list",
    short: "r",
    value: "KEY",
    doc: "age recipient (age1…); default MDG_RECIPIENTS, or the config's own",
  },
  "recipients-file": { type: "list", short: "R", value: "FILE", doc: "file of recipients, one a line" },
} as const;

interface Given {
  identity?: readonly string[];
  recipient?: readonly string[];
  "recipients-file"?: readonly string[];
  passphrase?: boolean;
}

/** What the flags say, completed by the config's own keys where they say nothing. */
export async function keySourcesFrom(
  given: Given,
  own: KeySources,
  world: KeyWorld,
): Promise<KeySources> {
  const named = (flag: readonly string[] | undefined) => flag && flag.length > 0 ? flag : undefined;
  const sources: KeySources = {
    recipients: named(given.recipient),
    recipients_files: named(given["recipients-file"]),
    identity_files: named(given.identity),
    passphrase: given.passphrase ? await askPassphrase(world) : undefined,
  };
  if (sources.passphrase !== undefined) return sources;
  if (!sources.identity_files && !world.env.MDG_IDENTITY_FILE && !world.env.MDG_IDENTITY) {
    sources.identity_files = own.identity_files;
  }
  if (
    !sources.recipients && !sources.recipients_files && !world.env.MDG_RECIPIENTS && !given.identity?.length
  ) {
    sources.recipients = own.recipients;
  }
  return sources;
}

/**
 * For whom values that are encrypted already are closed again: the named recipients, else those of the config, else the
 * keys that opened them.
 */
export function resealSources(given: Given, own: KeySources, opened_by: KeySources): KeySources {
  const { recipient = [], "recipients-file": recipients_files = [] } = given;
  if (recipient.length + recipients_files.length > 0) return { recipients: recipient, recipients_files };
  return own.recipients?.length ? { recipients: own.recipients } : opened_by;
}

/** From MDG_PASSPHRASE, else from the person. */
async function askPassphrase(world: KeyWorld): Promise<string> {
  const given = world.env.MDG_PASSPHRASE ?? await world.ask?.("Passphrase: ");
  if (!given) {
    throw new UserError("read passphrase: none given, want MDG_PASSPHRASE or a terminal to ask on", {
      code: 2,
    });
  }
  return given;
}
