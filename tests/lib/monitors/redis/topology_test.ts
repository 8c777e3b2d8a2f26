/** CLUSTER NODES as its specification prints it: roles, slots, slots on the move, nodes that failed. */
import assert from "node:assert/strict";
import { fieldsOf, readCluster } from "../../../../lib/monitors/redis/topology.ts";

const NODES = `
07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004,host4 slave e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 0 1426238317239 4 connected
67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 127.0.0.1:30002@31002 master - 0 1426238316232 2 connected 5461-10922 [93->-e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca]
292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f 127.0.0.1:30003@31003 master,fail - 1426238318243 1426238318243 3 disconnected 10923-16383
6ec23923021cf3ffec47632106199cb7f496ce01 :0@0 slave,noaddr 67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 0 1426238316232 5 disconnected
e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca :30001@31001 myself,master - 0 0 1 connected 0-5459 5460 [93-<-67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1]
`;

Deno.test("nodes, their roles and slots; what failed covers nothing; moves are counted once", () => {
  const { nodes, cluster } = readCluster(NODES, "cluster_enabled:1\r\ncluster_state:fail\r\n", "10.0.0.9");
  assert.deepEqual(nodes.map(({ place, role, slots }) => [`${place.host}:${place.port}`, role, slots]), [
    ["127.0.0.1:30004", "replica", 0],
    ["127.0.0.1:30002", "master", 5_462],
    ["127.0.0.1:30003", "master", 5_461],
    ["10.0.0.9:30001", "master", 5_461],
  ]);
  assert.deepEqual(cluster, {
    state: "fail",
    slots_covered: 10_923,
    slots_migrating: 1,
    masters: 3,
    replicas: 1,
    failing: ["127.0.0.1:30003"],
  });
});

Deno.test("garbage is no node", () => {
  const { nodes, cluster } = readCluster("hello\n\n1 2 3\n", "", "h");
  assert.deepEqual(nodes, []);
  assert.equal(cluster.state, "unknown");
  assert.equal(fieldsOf("x").size, 0);
});
