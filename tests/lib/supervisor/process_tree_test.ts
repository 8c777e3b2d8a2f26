/** Which processes belong to a program: the rule on tables that are made up. */
import assert from "node:assert/strict";
import type { ProcessEntry } from "../../../lib/os/process_table.ts";
import { treeOf } from "../../../lib/supervisor/process_tree.ts";

function entry(pid: number, ppid: number, sid: number, more: Partial<ProcessEntry> = {}): ProcessEntry {
  return {
    pid,
    ppid,
    pgid: sid,
    sid,
    state: "S",
    start_ticks: pid * 10,
    rss_bytes: 1,
    cpu_ticks: 0,
    ...more,
  };
}
const leader = { pid: 100, start_ticks: 1_000 };
const nobody = () => false;

function pids(all: ProcessEntry[], isMarked: (pid: number) => boolean = nobody, id = leader): number[] {
  return treeOf(all, id, isMarked).map(({ pid }) => pid).sort((one, other) => one - other);
}

Deno.test("session, group and descendants in sessions of their own", () => {
  const all = [
    entry(1, 0, 1),
    entry(100, 1, 100),
    entry(101, 100, 100),
    entry(102, 101, 102),
    entry(103, 102, 102),
    entry(200, 1, 200),
  ];
  assert.deepEqual(pids(all), [100, 101, 102, 103]);
});

Deno.test("the leader is gone, its session is not", () => {
  assert.deepEqual(pids([entry(1, 0, 1), entry(101, 1, 100), entry(300, 1, 300)]), [101]);
});

Deno.test("a stranger with the leader's number and all that is its own are not ours", () => {
  const all = [entry(100, 1, 100, { start_ticks: 9_999 }), entry(101, 100, 100)];
  assert.deepEqual(pids(all), []);
});

Deno.test("a daemon that left everything is known by its mark, with its children", () => {
  const all = [entry(100, 1, 100), entry(500, 1, 500), entry(501, 500, 501), entry(600, 1, 600)];
  assert.deepEqual(pids(all, (pid) => pid === 500), [100, 500, 501]);
});

Deno.test("without a leader the mark alone decides", () => {
  const all = [entry(100, 1, 100), entry(500, 1, 500)];
  assert.deepEqual(treeOf(all, undefined, (pid) => pid === 500).map(({ pid }) => pid), [500]);
});

Deno.test("what is older than the leader is not even looked at", () => {
  const looked: number[] = [];
  const all = [entry(1, 0, 1), entry(50, 1, 50), entry(100, 1, 100), entry(200, 1, 200)];
  treeOf(all, leader, (pid) => {
    looked.push(pid);
    return false;
  });
  assert.deepEqual(looked, [200]);
});
