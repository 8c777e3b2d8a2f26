import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { billOfMaterials, componentsOf } from "../../scripts/sbom.ts";
import { path } from "../mdg_process.ts";

Deno.test("the bill of materials has every locked package, and ours on top", () => {
  const text = Deno.readTextFileSync(path("deno.lock"));
  const { components, dependencies, metadata } = billOfMaterials(text, manifest);
  assert.equal(metadata.component.version, manifest.version);
  const refs = new Set(components.map((one) => one["bom-ref"]));
  for (const asked of Object.values(manifest.imports)) {
    const [, name, version] = /^npm:(.+)@([^@]+)$/.exec(asked)!;
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    assert.ok(refs.has(purl) && dependencies[0].dependsOn.includes(purl), purl);
  }
  for (const ref of dependencies[0].dependsOn) assert.ok(refs.has(ref), ref);
  for (const { hashes } of components) assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
});

Deno.test("a package with peers is there once; one without a checksum is refused", () => {
  const integrity = `sha512-${new Uint8Array(64).toBase64()}`;
  const found = componentsOf({ "@a/b@1.0.0_c@2.0.0": { integrity }, "@a/b@1.0.0_c@3.0.0": { integrity } });
  assert.deepEqual(found.map(({ purl }) => purl), ["pkg:npm/%40a/b@1.0.0"]);
  assert.throws(() => componentsOf({ "a@1.0.0": {} }), /no npm package with a SHA-512/);
});
