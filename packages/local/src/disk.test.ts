import { expect, it } from "vitest";
import { watchDisk } from "./disk.ts";

const MIB = 1024 * 1024;

function open() {
  const notices: string[] = [];
  const disk: { free: number | Error } = { free: 3 * MIB };
  let [looks, ms] = [0, 0];
  const look = async () => {
    looks++;
    if (disk.free instanceof Error) throw disk.free;
    return { bavail: disk.free / 512, bsize: 512 };
  };
  const hasRoomFor = watchDisk(
    "d",
    (line) => notices.push(line),
    look,
    () => ms,
  );
  const after = async (pauseMs: number) => {
    ms += pauseMs;
    const before = looks;
    expect(await hasRoomFor(MIB)).toBe(true);
    return looks - before;
  };
  return { disk, notices, hasRoomFor, after };
}

it("a write needs twice its size and another mebibyte of free space", async () => {
  const { hasRoomFor } = open();
  expect(await hasRoomFor(MIB)).toBe(true);
  expect(await hasRoomFor(MIB + 512)).toBe(false);
});

it("a disk counts as full until the refused write fits, and reports each change once", async () => {
  const { disk, notices, hasRoomFor } = open();
  expect(await hasRoomFor(0)).toBe(true);
  disk.free = MIB + 512;
  expect([await hasRoomFor(MIB), await hasRoomFor(MIB), await hasRoomFor(0)]).toEqual([
    false,
    false,
    false,
  ]);
  // A smaller write is still accepted.
  expect(await hasRoomFor(100)).toBe(true);
  expect(await hasRoomFor(0)).toBe(false);
  expect(notices).toHaveLength(1);
  disk.free = 3 * MIB;
  expect(await hasRoomFor(0)).toBe(true);
  expect(notices).toHaveLength(2);
});

it("a disk of unknown size has room", async () => {
  const { disk, hasRoomFor } = open();
  disk.free = new Error("EIO");
  expect(await hasRoomFor(MIB)).toBe(true);
});

it("a disk with much free space is looked at ten times a second", async () => {
  const { disk, after } = open();
  disk.free = 1_024 * MIB;
  expect([await after(0), await after(50), await after(50), await after(99)]).toEqual([1, 0, 1, 0]);
  disk.free = 1_023 * MIB;
  expect([await after(1), await after(1)]).toEqual([1, 1]);
});
