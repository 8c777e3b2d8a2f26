/**
 * docker-compose (the old one, in Python), which judges a compose file without an engine. A program: its address is its
 * path.
 */
import type { ServiceKind } from "./service.ts";

export const docker_compose: ServiceKind = {
  name: "docker_compose",
  env: "MDG_TEST_DOCKER_COMPOSE",
  program: "docker-compose",
  debian_package: "docker-compose",
  existing: () => Promise.resolve(undefined),
  start: (program) => Promise.resolve({ address: program, stop: () => Promise.resolve() }),
};
