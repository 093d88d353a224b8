import { describe, expect, it } from "vitest";
import { nothingParked, type ParkedKey, type Parking } from "../../model/parking.ts";
import {
  ghostsOf,
  isReadInVain,
  type ParkingRow,
  planFree,
  planPark,
  planProgress,
} from "./parking-plan.ts";

const parked = (key: string, next: number, more: Partial<ParkedKey> = {}): ParkedKey => ({
  id: 1,
  key,
  from: next,
  next,
  batch: 1,
  reason: "it failed",
  parkedAt: 1,
  retrying: false,
  ...more,
});

const rowAt = (
  next: number,
  keys: readonly ParkedKey[],
  more: Partial<Parking> = {},
): ParkingRow => ({
  next,
  batch: 1,
  parking: { ...nothingParked, revision: 5, keys, ...more },
});

const park = (row: ParkingRow, next: number) =>
  planPark(row, { key: "k", batch: 2, next }, { reason: "again", nowMs: 9 });

describe("parking an event", () => {
  it("[park.key] a key that is parked from there or earlier stays unchanged", () => {
    const known = parked("k", 7);
    const row = rowAt(10, [known]);
    for (const next of [7, 8])
      expect(park(row, next)).toEqual({ parking: row.parking, key: known });
    expect(park(row, 6)).toMatchObject({ key: { id: 6, from: 6, next: 6, reason: "again" } });
  });

  it("[park.key] a queue that is being delivered stops at the event", () => {
    const row = rowAt(10, [parked("k", 5, { from: 4, retrying: true })]);
    expect(park(row, 8)).toMatchObject({
      key: { id: 6, was: [1], from: 4, next: 8, retrying: false, reason: "again", parkedAt: 9 },
      parking: { revision: 6, keys: [{ key: "k", next: 8 }] },
    });
  });
});

describe("a key that waits for the offset to pass its skipped event", () => {
  it("is one that is retried from after the committed offset", () => {
    const keys = [10, 11].map((next) => parked("k", next, { retrying: true }));
    const waiting = parked("other", 12);
    expect(ghostsOf(rowAt(10, [...keys, waiting])).map(({ next }) => next)).toEqual([11]);
    expect(ghostsOf({ next: 1, batch: 1 })).toEqual([]);
  });
});

describe("progress in a queue", () => {
  const known = parked("k", 5, { retrying: true });
  const other = parked("other", 6, { id: 2 });
  const row = rowAt(10, [known, other]);
  const placeAt = (next: number) => ({ partition: 0, id: 1, batch: 2, next });

  it("[park.retry] frees the key at the committed offset, and no other key", () => {
    expect(planProgress(row, placeAt(10))).toEqual({
      ...nothingParked,
      revision: 6,
      releaseCount: 1,
      keys: [other],
    });
    expect(planProgress(row, placeAt(7))).toMatchObject({
      revision: 6,
      releaseCount: 0,
      keys: [other, { key: "k", from: 7, next: 7, batch: 2 }],
    });
  });

  it("[park.retry] a place of an earlier retry, or one that was committed before, changes nothing", () => {
    expect(planProgress(row, placeAt(5))).toBeUndefined();
    expect(planProgress(row, { ...placeAt(7), id: 3 })).toBeUndefined();
    expect(planProgress(row, { ...placeAt(7), id: 2 })).toBeUndefined();
  });

  it("a page was read in vain when its key was parked or retried before its end", () => {
    const again = rowAt(10, [parked("k", 7, { id: 3, was: [1, 2] })]);
    const inVain = [placeAt(7), placeAt(8), { ...placeAt(8), id: 3 }].map((place) =>
      isReadInVain(again, place),
    );
    expect(inVain).toEqual([false, true, false]);
    expect(isReadInVain({}, placeAt(8))).toBe(false);
  });
});

it("[park.skip] keys that are freed together keep the skips that the offset has not passed", () => {
  const ghost = parked("k", 12, { retrying: true });
  const free = parked("other", 8, { id: 2, retrying: true });
  const kept = parked("kept", 3, { id: 3 });
  const after = planFree(rowAt(10, [ghost, free, kept]), [ghost, free]);
  expect(after).toMatchObject({ revision: 7, releaseCount: 2, keys: [kept] });
  expect(after.skipped).toMatchObject([{ key: "k", sequence: 11 }]);
});
