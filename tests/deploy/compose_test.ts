/** The compose file: taken by docker-compose where it is, and what a team wants of it. Nothing is pulled or started. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import manifest from "../../deno.json" with { type: "json" };
import { path, runMdg } from "../mdg_process.ts";
import { serviceTest } from "../services.ts";
import { runProgram } from "./image_builder.ts";

interface Service {
  image: string;
  profiles?: string[];
  build?: { context: string; dockerfile: string };
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number };
  networks?: { default: { aliases: string[] } };
  [key: string]: unknown;
}

const file = path("deploy/compose.yaml");
const text = Deno.readTextFileSync(file);
const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(text, {
  merge: true,
});
const services = Object.entries(compose.services);
const gateways = services.filter(([name]) => name.startsWith("gateway-"));

serviceTest("docker_compose", "docker-compose takes the file, with its own schema", async (program) => {
  for (const profile of ["demo", "live"]) {
    const { code, stdout, stderr } = await runProgram(program, ["--profile", profile, "-f", file, "config"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(Object.keys(parse(stdout).services).length, services.length);
  }
});

serviceTest("docker_compose", "docker-compose refuses a word it does not know", async (program) => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/compose.yaml`, text.replace("read_only:", "readonly:"));
    const { code } = await runProgram(program, ["-f", `${folder}/compose.yaml`, "config", "-q"]);
    assert.notEqual(code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the whole stack is there, in two profiles of which one is the default", () => {
  const names = services.map(([name]) => name).sort();
  const wanted = [
    "gateway-demo",
    "gateway-live",
    "grafana",
    "postgres",
    "prometheus",
    "questdb",
    "rabbitmq",
    "redis",
  ];
  assert.deepEqual(names, wanted);
  assert.deepEqual(gateways.map(([, { profiles }]) => profiles), [["demo"], ["live"]]);
  assert.match(Deno.readTextFileSync(path("deploy/.env")), /^COMPOSE_PROFILES=demo$/m);
});

Deno.test("images have versions, ours this one; ports are this machine's; memory, logs and restarts are bounded", () => {
  for (const [name, service] of services) {
    const { image, ports = [], mem_limit, restart, logging } = service;
    assert.match(
      image,
      name.startsWith("gateway-") ? /^mdg:\$\{MDG_VERSION:-/ : /^[\w./-]+:v?\d+\.?[\w.-]*$/,
      name,
    );
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/, name);
    assert.ok(mem_limit && restart === "unless-stopped" && logging, name);
    for (const value of Object.values(service.environment ?? {})) {
      if (/PASS/.test(value)) assert.match(value, /^\$\{MDG_PASSWORD:-/, name);
    }
  }
  assert.ok(text.includes(`MDG_VERSION:-${manifest.version}}`));
  const published = services.filter(([name]) => name !== "gateway-live").flatMap(([, { ports = [] }]) =>
    ports
  );
  const host_ports = published.map((port) => /:-(\d+)\}/.exec(port)![1]);
  assert.equal(new Set(host_ports).size, host_ports.length);
});

Deno.test("the gateways have no rights, wait for what they write to, and answer to one name", () => {
  for (const [name, service] of gateways) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual([service.cap_drop, service.security_opt], [["ALL"], ["no-new-privileges:true"]]);
    assert.deepEqual(service.networks?.default.aliases, ["gateway"]);
    assert.ok(parseInt(String(service.stop_grace_period)) > 25, "draining takes 25 s");
    for (const [other, { condition }] of Object.entries(service.depends_on!)) {
      assert.equal(condition, "service_healthy");
      assert.ok(compose.services[other].healthcheck, `${other} has a health check`);
    }
  }
  const scrape = parse(Deno.readTextFileSync(path("deploy/prometheus/prometheus.yml")));
  assert.deepEqual(scrape.scrape_configs[0].static_configs[0].targets, ["gateway:9090"]);
});

Deno.test("every file that is mounted exists, every volume is declared", () => {
  for (const [name, { volumes = [], build }] of services) {
    for (const volume of volumes) {
      const from = volume.split(":")[0];
      if (from.startsWith("./")) Deno.statSync(path(`deploy/${from}`));
      else assert.ok(from in compose.volumes, `${name}: ${from}`);
    }
    if (build) Deno.statSync(path(build.dockerfile));
  }
});

Deno.test("both gateway configs are without a problem, and differ in their source only", async () => {
  const configs = [];
  for (const name of ["demo", "live"]) {
    const config = path(`deploy/gateway/${name}.yaml`);
    const { code, stderr } = await runMdg({
      args: ["config", "check", config],
      env: { MDG_PASSWORD: "of-a-test" },
    });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /warning/i);
    const { sources: _, ...rest } = parse(await Deno.readTextFile(config));
    configs.push(rest);
    const [, service] = gateways.find(([one]) => one === `gateway-${name}`)!;
    assert.deepEqual(service.command, ["run", "--config", `/etc/mdg/${name}.yaml`]);
  }
  assert.deepEqual(configs[0], configs[1]);
});
