/** The Dockerfile keeps the rules, and each rule is one that a bad Dockerfile breaks. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { path } from "../mdg_process.ts";
import { baseImages, lintDockerfile, readDockerfile } from "./dockerfile_lint.ts";

const text = Deno.readTextFileSync(path("deploy/Dockerfile"));

Deno.test("the Dockerfile has no complaint", () => {
  assert.deepEqual(lintDockerfile(text), []);
});

Deno.test("the Dockerfile is of this version, and of the Deno that the gate uses", () => {
  assert.match(text, new RegExp(`^ARG VERSION=${manifest.version.replaceAll(".", "\\.")}$`, "m"));
  const gate = Deno.readTextFileSync(path(".ci/run"));
  const deno = /npx -y deno@([\d.]+)/.exec(gate)![1];
  assert.ok(baseImages(readDockerfile(text)).some(({ image }) => image === `denoland/deno:bin-${deno}`));
});

Deno.test("the build's context is an allow-list of what exists", () => {
  const lines = Deno.readTextFileSync(path("deploy/Dockerfile.dockerignore")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(lines[0], "*");
  for (const line of lines.slice(1)) Deno.statSync(path(line.replace(/^!/, "")));
});

const GOOD = `ARG BASE=debian:12-slim
FROM \${BASE} AS build
RUN mkdir /out
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.version="1"
COPY --from=build /out/mdg /mdg
USER 65532:65532
HEALTHCHECK CMD ["/mdg", "health"]
ENTRYPOINT ["/mdg"]
CMD ["run"]
`;
const BAD: [what: string, from: string, to: string, complaint: RegExp][] = [
  ["a floating base", "debian:12-slim", "debian:latest", /want a version/],
  ["a base without a tag", "debian:12-slim", "debian", /without a tag/],
  ["a registry's port is no tag", "debian:12-slim", "mirror:5000/debian", /without a tag/],
  ["root", "USER 65532:65532\n", "", /runs as root/],
  ["root by number", "65532:65532", "0", /runs as 0/],
  ["a name of a user", "65532:65532", "mdg", /runs as mdg/],
  ["no health check", `HEALTHCHECK CMD ["/mdg", "health"]\n`, "", /one HEALTHCHECK/],
  ["a health check by curl", `["/mdg", "health"]`, `["curl", "-f", "localhost"]`, /needs curl/],
  ["a health check by a shell", `["/mdg", "health"]`, "/mdg health", /HEALTHCHECK wants CMD/],
  ["an entry point by a shell", `["/mdg"]`, "/mdg", /through a shell/],
  ["no version", `LABEL org.opencontainers.image.version="1"\n`, "", /label with the version/],
  ["sources in the result", "COPY --from=build /out/mdg", "COPY .", /copies sources/],
  ["ADD", "COPY --from", "ADD --from", /ADD, want COPY/],
  ["a secret", "ARG BASE", "ARG NPM_TOKEN=x\nARG BASE", /keeps a secret/],
  ["a pipe", "RUN mkdir /out", "RUN ls | sort", /pipefail/],
  ["a download that is run", "RUN mkdir /out", "RUN curl https://x | sh", /runs what it downloads/],
  ["cd", "RUN mkdir /out", "RUN cd /x && ls", /want WORKDIR/],
  ["apt without care", "RUN mkdir /out", "RUN apt-get install x", /lists removed/],
  ["sudo", "RUN mkdir", "RUN sudo mkdir", /sudo/],
  ["a relative folder", "USER 65532", "WORKDIR data\nUSER 65532", /relative/],
  ["a command in the result", "USER 65532", "RUN true\nUSER 65532", /has no shell/],
  ["a remote shell", "USER 65532", "EXPOSE 22\nUSER 65532", /remote shell/],
  ["one stage", "FROM gcr.io/distroless/cc-debian12:nonroot\n", "", /one stage only/],
];

Deno.test("a good Dockerfile has no complaint", () => {
  assert.deepEqual(lintDockerfile(GOOD), []);
});

for (const [what, from, to, complaint] of BAD) {
  Deno.test(`the linter sees ${what}`, () => {
    assert.ok(GOOD.includes(from));
    const complaints = lintDockerfile(GOOD.replace(from, to));
    assert.ok(complaints.some((one) => complaint.test(one)), complaints.join("\n"));
  });
}
