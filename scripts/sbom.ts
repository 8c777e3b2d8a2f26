/**
 * The bill of materials of this version, on stdout: every npm package of deno.lock with its checksum, as CycloneDX 1.5.
 * Made from the lock alone, so it needs no network and is the same every time. Use: deno task -q sbom
 * It lists what was locked: tools for tests are among it, though the binary leaves them out. Licences are not in a lock.
 */
import lock from "../deno.lock" with { type: "text" };
import manifest from "../deno.json" with { type: "json" };
import { Output, processStreams } from "../lib/cli/output.ts";

interface Component {
  type: "library";
  "bom-ref": string;
  name: string;
  version: string;
  purl: string;
  hashes: { alg: "SHA-512"; content: string }[];
}

/** Keys of the lock: `name@version`, and after `_` the peers it was resolved with. */
export function componentsOf(npm: Record<string, { integrity?: string }>): Component[] {
  const found = new Map<string, Component>();
  for (const [key, { integrity }] of Object.entries(npm)) {
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key) ?? [];
    if (name === undefined || !integrity?.startsWith("sha512-")) {
      throw new Error(`read deno.lock: "${key}" is no npm package with a SHA-512`);
    }
    const bytes = Uint8Array.fromBase64(integrity.slice("sha512-".length));
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    const hashes = [{ alg: "SHA-512" as const, content: bytes.toHex() }];
    found.set(purl, { type: "library", "bom-ref": purl, name, version, purl, hashes });
  }
  return [...found.values()].sort((one, other) => one.purl < other.purl ? -1 : 1);
}

export function billOfMaterials(lock_text: string, { name, version, license }: typeof manifest) {
  const { npm, specifiers } = JSON.parse(lock_text);
  const components = componentsOf(npm);
  const ref = `pkg:generic/${name}@${version}`;
  const direct = Object.entries(specifiers as Record<string, string>).map(([asked, resolved]) => {
    const package_name = /^npm:(@?[^@]+)@/.exec(asked)![1];
    return `pkg:npm/${package_name.replace("@", "%40")}@${resolved.split("_")[0]}`;
  });
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": ref,
        name,
        version,
        licenses: [{ license: { id: license } }],
      },
    },
    components,
    dependencies: [{ ref, dependsOn: [...new Set(direct)].sort() }],
  };
}

if (import.meta.main) {
  await new Output(processStreams(), false).data(
    JSON.stringify(billOfMaterials(lock, manifest), null, 2) + "\n",
  );
}
