/**
 * YAML of the documents: gateway configs (a config without sources gets one), supervise files and tenants files are
 * loaded as the program loads them; of a part of a config each key must be one that the schema has somewhere.
 */
import { parse } from "yaml";
import { UserError } from "../../lib/base/errors.ts";
import { configJsonSchema } from "../../lib/config/json_schema.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { ConfigError, problemText } from "../../lib/config/problem.ts";
import { configSchema } from "../../lib/gateway/config_schema.ts";
import { parseTenants } from "../../lib/servers/access/tenants_file.ts";
import { loadSuperviseFile } from "../../lib/supervisor/load_supervise_file.ts";
import type { Documents } from "./check_links.ts";
import { codeBlocks } from "./documents.ts";

const schema = configSchema();
const json_schema = configJsonSchema(schema);
const GENERAL = Object.keys((json_schema.oneOf as { properties: object }[])[0].properties);
const KNOWN = keyNames(json_schema);

export async function checkYaml(documents: Documents): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, markdown] of documents) {
    for (const { language, line, text } of codeBlocks(markdown)) {
      if (language !== "yaml" || isOfOthers(name)) continue;
      for (const problem of await problemsOf(text)) problems.push(`${name}:${line}: ${problem}`);
    }
  }
  return problems;
}

/** Documents of the tools that fold and convert show YAML of Kubernetes and Compose. */
function isOfOthers(name: string): boolean {
  return name.startsWith("lib/formats/");
}

async function problemsOf(block: string): Promise<string[]> {
  const text = block.replaceAll(/ENC\[age,[^\]]*\]/g, "opened-value");
  const value = parse(text.replaceAll("…", "x"));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const keys = Object.keys(value);
  if (keys.includes("apps")) return await refusalOf("supervise.yaml", text, supervise);
  if (keys.includes("tenants")) {
    return await refusalOf("tenants.yaml", text.replaceAll("sha256:…", HASH), tenants);
  }
  if (keys.includes("services")) return []; // Docker Compose
  if (keys.every((key) => GENERAL.includes(key))) {
    const whole = keys.includes("sources") ? text : `${text}\nsources: [{ kind: simulator }]\n`;
    return await refusalOf("config.yaml", whole, gateway);
  }
  return [...keyNames({ properties: value })].filter((key) => !KNOWN.has(key)).map((key) =>
    `${key}: no key of the config`
  );
}

const HASH = `sha256:${"0".repeat(64)}`;
const ENV = {
  MDG_CONTROL_TOKEN: "0123456789abcdef0123456789abcdef",
  REDIS_PASSWORD: "secret",
  ALERT_WEBHOOK: "https://alerts.example/",
};
const world = (cwd: string) => ({ env: ENV, cwd });

async function gateway(file: string, folder: string): Promise<void> {
  await loadConfig(schema, file, world(folder));
}

async function supervise(file: string, folder: string): Promise<void> {
  await loadSuperviseFile(file, world(folder));
}

async function tenants(file: string): Promise<void> {
  parseTenants(file, await Deno.readTextFile(file));
}

async function refusalOf(
  name: string,
  text: string,
  load: (file: string, folder: string) => Promise<void>,
): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-docs-" });
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    await load(`${folder}/${name}`, folder);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map((one) => problemText(one).replace(`${folder}/`, ""));
    }
    if (error instanceof UserError) return [error.message.replace(`${folder}/`, "")];
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Every name of a property, however deep; of a plain value under `properties` its own top keys. */
function keyNames(node: unknown, names = new Set<string>()): Set<string> {
  if (typeof node !== "object" || node === null) return names;
  for (const [key, value] of Object.entries(node)) {
    if (key === "properties") Object.keys(value as object).forEach((name) => names.add(name));
    keyNames(value, names);
  }
  return names;
}
