/** The flag that names the tenants file, and the check that an id is one. */
import { quoted, UserError } from "../../lib/base/errors.ts";

export const FILE_FLAG = {
  file: {
    type: "text",
    value: "FILE",
    short: "f",
    default: "tenants.yaml",
    doc: "the tenants file, .yaml or .json",
  },
} as const;

/** @throws UserError (exit 2) */
export function checkTenantId(id: string, pattern: RegExp): void {
  if (pattern.test(id)) return;
  throw new UserError(
    `read TENANT ${quoted(id)}: no id, want letters, digits, dot, dash and underscore, at most 64`,
    { code: 2 },
  );
}
