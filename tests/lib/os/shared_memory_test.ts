import assert from "node:assert/strict";
import { OwnedSegment, segmentName, type SegmentPlan, SharedSegment } from "../../../lib/os/shared_memory.ts";
import { nativeTest } from "../../native.ts";

let made = 0;

function planOf(name: string, plan: Partial<SegmentPlan> = {}): SegmentPlan {
  return {
    name,
    bytes: 8192,
    mode: 0o600,
    check: () => {},
    ownerOf: () => "by process 7",
    initialise: () => {},
    retire: () => {},
    ...plan,
  };
}
const freshName = () => `mdg-test-${Deno.pid}-${++made}`;
const firstByte = (buffer: ArrayBuffer) => new Uint8Array(buffer)[0];

nativeTest("what the owner writes, a reader sees, and nobody after the owner closed", () => {
  const name = freshName();
  const owner = OwnedSegment.create(
    planOf(name, { initialise: (buffer) => void (new Uint8Array(buffer)[0] = 7) }),
  );
  using reader = SharedSegment.open(`/${name}`)!;
  assert.equal(reader.buffer.byteLength, 8192);
  assert.equal(firstByte(reader.buffer), 7);
  new Uint8Array(owner.buffer)[0] = 8;
  assert.equal(firstByte(reader.buffer), 8);
  assert.ok(reader.is_current);
  const view = new Uint8Array(owner.buffer);
  owner.close(true);
  assert.equal(view.length, 0, "a view of closed memory is empty, not dangling");
  assert.equal(firstByte(reader.buffer), 8, "what is mapped stays readable");
  assert.ok(!reader.is_current);
  assert.equal(SharedSegment.open(name), undefined);
});

nativeTest("a second writer is refused by name, and changes nothing", () => {
  const name = freshName();
  using first = OwnedSegment.create(planOf(name));
  new Uint8Array(first.buffer)[0] = 1;
  assert.throws(
    () => OwnedSegment.create(planOf(name)),
    new RegExp(`open shared memory "${name}": it is written by process 7, want one writer`),
  );
  assert.equal(firstByte(first.buffer), 1);
  assert.ok(first.segment.is_current);
  assert.equal(SharedSegment.open(`${name}.new`), undefined, "no debris");
});

nativeTest("a segment left behind is replaced, its readers are told", () => {
  const name = freshName();
  const dead = OwnedSegment.create(planOf(name));
  new Uint8Array(dead.buffer)[0] = 1;
  using old_reader = SharedSegment.open(name)!;
  dead.close(false);
  const seen: (number | undefined)[] = [];
  using _owner = OwnedSegment.create(
    planOf(name, {
      bytes: 4096,
      initialise: (_, previous) => void seen.push(previous && firstByte(previous)),
      retire: (previous) => void (new Uint8Array(previous)[0] = 99),
    }),
  );
  assert.deepEqual(seen, [1]);
  assert.equal(firstByte(old_reader.buffer), 99);
  assert.ok(!old_reader.is_current);
  using reader = SharedSegment.open(name)!;
  assert.equal(reader.buffer.byteLength, 4096);
  assert.equal(firstByte(reader.buffer), 0);
});

nativeTest("closing leaves a name alone that another took", () => {
  const name = freshName();
  const first = OwnedSegment.create(planOf(name));
  // somebody removes the file by hand, so that its lock guards nothing any more
  new Deno.Command("rm", { args: [`/dev/shm/${name}`] }).outputSync();
  using second = OwnedSegment.create(planOf(name));
  first.close(true);
  assert.ok(second.segment.is_current);
});

nativeTest("what is not ours to replace stays, and so does a refused start", () => {
  const name = freshName();
  const other = OwnedSegment.create(planOf(name));
  other.close(false);
  const check = () => {
    throw new Error("not ours");
  };
  assert.throws(() => OwnedSegment.create(planOf(name, { check })), /not ours/);
  using left = SharedSegment.open(name)!;
  assert.ok(left.is_current);
  using _owner = OwnedSegment.create(planOf(name));
});

nativeTest("no room is an error at the start, not a crash later", () => {
  const name = freshName();
  assert.throws(
    () => OwnedSegment.create(planOf(name, { bytes: 2 ** 50 })),
    new RegExp(`open shared memory "${name}": ${2 ** 50} bytes: no space left on /dev/shm`),
  );
  assert.equal(SharedSegment.open(name), undefined);
  assert.equal(SharedSegment.open(`${name}.new`), undefined, "no debris");
});

nativeTest("permissions are those asked for, whatever the umask", () => {
  const name = freshName();
  using _owner = OwnedSegment.create(planOf(name, { mode: 0o644 }));
  assert.equal(Deno.statSync(`/dev/shm/${name}`).mode! & 0o777, 0o644);
});

Deno.test("names", () => {
  assert.equal(segmentName("/market_data"), "market_data");
  assert.equal(segmentName("market-data.1"), "market-data.1");
  for (const bad of ["", "/", "..", "a/b", "//a", "a\0b", "x".repeat(251)]) {
    assert.throws(() => segmentName(bad), /want 1 to 250 bytes/, JSON.stringify(bad));
  }
});
