import assert from "node:assert/strict";
import { ClusterTopology, redirectionOf } from "../../../../lib/wire/redis/cluster_topology.ts";

const ASKED = { host: "10.0.0.9", port: 7000 };
const node = (host: string | null, port: number) => [host, port, "id", []];

Deno.test("a whole answer makes owners; an unknown host is that of the node asked", () => {
  const topology = new ClusterTopology();
  assert.equal(topology.uncovered, 16_384);
  const answer = [
    [0, 8_191, node("10.0.0.1", 7001), node("10.0.0.2", 7002)],
    [8_192, 16_383, node("", 7000), node(null, 7003)],
  ];
  assert.ok(topology.adopt(answer, ASKED));
  assert.equal(topology.ownerOf(0), "10.0.0.1:7001");
  assert.equal(topology.ownerOf(16_383), "10.0.0.9:7000");
  assert.deepEqual(topology.masters, ["10.0.0.1:7001", "10.0.0.9:7000"]);
  assert.equal(topology.nodes.size, 4);
  assert.equal(topology.uncovered, 0);
  const { version } = topology;
  assert.ok(topology.adopt(answer, ASKED));
  assert.equal(topology.version, version);
});

Deno.test("an answer that makes no sense changes nothing", () => {
  const topology = new ClusterTopology();
  assert.ok(topology.adopt([[0, 16_383, node("h", 1)]], ASKED));
  for (
    const wrong of [undefined, "OK", [1], [[0, 16_384, node("h", 2)]], [["0", 1, node("h", 2)]], [[-1, 1]]]
  ) {
    assert.equal(topology.adopt(wrong, ASKED), false, JSON.stringify(wrong));
  }
  assert.equal(topology.ownerOf(5), "h:1");
});

Deno.test("redirections are read, and only real ones", () => {
  const moved = redirectionOf(new Error("MOVED 3999 127.0.0.1:6381"), ASKED)!;
  assert.deepEqual([moved.kind, moved.slot, moved.node], ["MOVED", 3_999, "127.0.0.1:6381"]);
  assert.deepEqual(redirectionOf(new Error("ASK 1 :7005"), ASKED)!.place, { host: "10.0.0.9", port: 7_005 });
  assert.equal(redirectionOf(new Error("ASK 1 ::1:7005"), ASKED)!.place.host, "::1");
  for (
    const text of ["MOVED 16384 h:1", "MOVED x h:1", "MOVED 1 h", "MOVED __proto__ h:1", "ERR MOVED 1 h:1"]
  ) {
    assert.equal(redirectionOf(new Error(text), ASKED), undefined, text);
  }
  const topology = new ClusterTopology();
  topology.adopt([[0, 16_383, node("h", 1)]], ASKED);
  const { version } = topology;
  topology.moved(moved, moved.place);
  assert.equal(topology.ownerOf(3_999), "127.0.0.1:6381");
  assert.equal(topology.ownerOf(4_000), "h:1");
  assert.equal(topology.version, version + 1);
});
