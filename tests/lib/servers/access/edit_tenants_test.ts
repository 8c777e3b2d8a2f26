import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { editTenants, loadTenants } from "../../../../lib/servers/access/edit_tenants.ts";
import { inFolder } from "../../../in_folder.ts";

const world = (cwd: string) => ({ cwd, clock: systemClock });

Deno.test("edit: comments, order and foreign spelling of YAML stay", async () => {
  await inFolder(async (folder) => {
    const text = `# head
version: 1 # of the format

tenants:
  # the first one
  - id: acme # its id
    allow: [{symbols: [BTC*]}] # only bitcoin
    keys: []

  # the second
  - id: "other"
    allow:
      - {} # everything
# tail
`;
    await Deno.writeTextFile(`${folder}/t.yaml`, text, { mode: 0o640 });
    await editTenants("t.yaml", world(folder), { may_create: false }, ({ text }) => {
      text.append(["tenants", 0, "keys"], { id: "abcdefgh", hash: "sha256:" + "0".repeat(64) });
      text.set(["tenants", 1, "revoked"], "2026-11-30T12:00:00Z");
    });
    const after = await Deno.readTextFile(`${folder}/t.yaml`);
    for (const comment of text.matchAll(/#.*/g)) assert.ok(after.includes(comment[0]), comment[0]);
    assert.ok(after.includes('id: "other"'));
    const { tenants } = await loadTenants("t.yaml", folder);
    assert.equal(tenants[0].keys[0].id, "abcdefgh");
    assert.equal(tenants[1].revoked, "2026-11-30T12:00:00Z");
    if (Deno.build.os !== "windows") {
      assert.equal(
        (await Deno.stat(`${folder}/t.yaml`)).mode! & 0o777,
        0o640,
        "an existing file keeps its mode",
      );
    }
  });
});

Deno.test("edit: a new file is private; what would not be valid is not written; JSON5 is refused", async () => {
  await inFolder(async (folder) => {
    const add = (path: string, id: string) =>
      editTenants(path, world(folder), { may_create: true }, ({ text }) => {
        text.append(["tenants"], { id, allow: [] });
      });
    await add("t.yaml", "a");
    await add("t.json", "a");
    await add("t.json", "b");
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(`${folder}/t.yaml`)).mode! & 0o777, 0o600);
    assert.equal((await loadTenants("t.json", folder)).tenants.length, 2);
    const before = await Deno.readTextFile(`${folder}/t.yaml`);
    await assert.rejects(add("t.yaml", "a"), /it would not be valid: .*there twice/);
    await assert.rejects(add("t.yaml", "no id"), /it would not be valid/);
    assert.equal(await Deno.readTextFile(`${folder}/t.yaml`), before);
    await assert.rejects(add("t.json5", "a"), /comments could not be kept/);
    await assert.rejects(add("nowhere/t.yaml", "a"), /folder does not exist/);
    await assert.rejects(
      editTenants("missing.yaml", world(folder), { may_create: false }, () => {}),
      /there is no such file/,
    );
  });
});

Deno.test("edit: twenty commands at once lose nothing", async () => {
  await inFolder(async (folder) => {
    const names = Array.from({ length: 20 }, (_, i) => `tenant-${i}`);
    await Promise.all(
      names.map((id) =>
        editTenants("t.yaml", world(folder), { may_create: true }, ({ text }) => {
          text.append(["tenants"], { id, allow: [] });
        })
      ),
    );
    const { tenants } = await loadTenants("t.yaml", folder);
    assert.deepEqual(tenants.map(({ id }) => id).sort(), names.sort());
  });
});
