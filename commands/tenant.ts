/** `mdg tenant`: who may connect to the public servers. The engine is loaded only when a command runs. */
import { defineGroup } from "../lib/cli/command.ts";
import { tenantAdd } from "./tenant/add.ts";
import { tenantList } from "./tenant/list.ts";
import { tenantRevoke } from "./tenant/revoke.ts";

export const tenant = defineGroup("Add, list and shut out tenants of the public servers", {
  add: tenantAdd,
  list: tenantList,
  revoke: tenantRevoke,
});
