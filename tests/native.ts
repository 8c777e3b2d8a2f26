/** Tests of native calls: Linux only. The C library is opened here, before any test, since it stays open for good. */
import { libc } from "../lib/os/libc.ts";
import { testUnless } from "./services.ts";

export const no_native = Deno.build.os === "linux" ? undefined : `no native calls on ${Deno.build.os}`;
if (no_native === undefined) libc("run tests");

export function nativeTest(name: string, body: (context: Deno.TestContext) => void | Promise<void>): void {
  testUnless(no_native, name, body);
}
