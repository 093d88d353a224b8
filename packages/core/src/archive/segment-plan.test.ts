import { expect, it } from "vitest";
import type { StoredEvent } from "../model/event.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import { createPacker, isArchiveDue } from "./segment-plan.ts";

const MIB = 1024 * 1024;
const NOW_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

const checkpoint: Checkpoint = {
  ...{ next: 10, floor: 1, floorAt: NOW_MS, checkedAt: NOW_MS, compactedThrough: NOW_MS },
  ...{ events: 9, bytes: 0 },
};

const eventOf = (sequence: number, bytes: number): StoredEvent => ({
  ...{ partition: 0, sequence, batch: sequence, key: "k", id: "i", publishedAt: NOW_MS },
  data: JSON.stringify("x".repeat(bytes)) as never,
});

it("[archive.now] a segment is full at 8 MiB", () => {
  const packer = createPacker();
  for (let n = 1; n <= 7; n++) packer.add(eventOf(n, MIB));
  expect(packer.isFull()).toBe(false);
  packer.add(eventOf(8, MIB));
  expect(packer.isFull()).toBe(true);
  expect(packer.finish()).toMatchObject({ events: 8 });
});

it.each([
  ["8 MiB wait", { bytes: 8 * MIB }, 0, true],
  ["less waits for less than an hour", { bytes: 8 * MIB - 1 }, 58 * MINUTE_MS, false],
  ["some events wait for an hour, but for a minute", { bytes: 1 }, 59 * MINUTE_MS, true],
  ["all is archived", { bytes: 8 * MIB, archivedTo: 10 }, 60 * MINUTE_MS, false],
] as const)("[archive.now] %s: a segment is due or not", (_, stored, laterMs, due) => {
  const archived = {
    at: NOW_MS,
    segments: 0,
    events: 0,
    storedBytes: 0,
    bytesBefore: 0,
    chain: "",
  };
  const found = { ...checkpoint, archivedTo: 1, archived, ...stored };
  expect(isArchiveDue(found, NOW_MS + laterMs)).toBe(due);
});
