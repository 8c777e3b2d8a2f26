/**
 * Tests that need something from outside. scripts/test.ts hands addresses over by variables; where there is none the
 * test is skipped under a name that says why, so that the run can list and count it.
 */
import * as services from "../scripts/services/registry.ts";
import { missingEnv } from "../scripts/services/service.ts";

export type ServiceName = keyof typeof services;
type Body = (context: Deno.TestContext) => void | Promise<void>;

/** Runs `body` unless `missing` says what is not there. */
export function testUnless(missing: string | undefined, name: string, body: Body): void {
  if (missing === undefined) Deno.test(name, body);
  else Deno.test({ name: `${name} [skipped: ${missing}]`, ignore: true, fn: body });
}

/** The address of a service, or why there is none. */
export function serviceAddress(service: ServiceName): { address: string } | { missing: string } {
  const kind = services[service];
  const address = Deno.env.get(kind.env);
  if (address) return { address };
  const reason = Deno.env.get(missingEnv(kind)) ?? `${kind.env} is not set; deno task test sees to it`;
  return { missing: `${kind.name}: ${reason}` };
}

/** A test that gets the address of a running service: `redis://127.0.0.1:6379`, the path of promtool. */
export function serviceTest(
  service: ServiceName,
  name: string,
  body: (address: string, context: Deno.TestContext) => void | Promise<void>,
): void {
  const found = serviceAddress(service);
  if ("address" in found) Deno.test(name, (context) => body(found.address, context));
  else testUnless(found.missing, name, () => {});
}

/** The folder with recorded captures: MDG_TEST_CAPTURES, else beside the repository. */
export function captureFolder(): { folder: string } | { missing: string } {
  const folder = Deno.env.get("MDG_TEST_CAPTURES") ??
    new URL("../../shared/data/captures", import.meta.url).pathname;
  try {
    if (Deno.statSync(folder).isDirectory) return { folder };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return { missing: `no captures in "${folder}"; MDG_TEST_CAPTURES names their folder` };
}

/** A test that reads recorded captures. */
export function captureTest(
  name: string,
  body: (folder: string, context: Deno.TestContext) => void | Promise<void>,
): void {
  const found = captureFolder();
  if ("folder" in found) Deno.test(name, (context) => body(found.folder, context));
  else testUnless(found.missing, name, () => {});
}

/** `--long` or `--soak` was given to the test command. */
export const is_long = Deno.env.get("MDG_TEST_LONG") === "1" || Deno.env.get("MDG_TEST_SOAK") === "1";
export const is_soak = Deno.env.get("MDG_TEST_SOAK") === "1";
