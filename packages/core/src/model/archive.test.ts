import { describe, expect, it } from "vitest";
import { beginArchive, earliestBefore, earliestOf, isArchived, resumeArchive } from "./archive.ts";

const tally = { at: 5, segments: 1, events: 9, storedBytes: 9, bytesBefore: 9, chain: "c" };
const reaching = { floor: 10, archivedFrom: 3, archivedTo: 12, archived: tally };
const gap = { floor: 10, archivedFrom: 3, archivedTo: 7, archived: tally };

describe("the archive of a partition", () => {
  it("[archive.begin] begins at the floor, and what the table keeps is complete from there", () => {
    expect(resumeArchive({ floor: 10 })).toEqual({ ...beginArchive(10) });
    expect(beginArchive(10)).toMatchObject({ archiving: true, archivedFrom: 10, archivedTo: 10 });
  });

  it("[archive.stop] continues where it was, if nothing after it is gone", () => {
    expect(resumeArchive(reaching)).toEqual({
      archiving: true,
      archivedFrom: 3,
      archivedTo: 12,
      clearedTo: 10,
    });
    expect(resumeArchive(gap)).toEqual({
      archiving: true,
      archivedFrom: 10,
      archivedTo: 10,
      archived: { ...tally, at: 0 },
      clearedTo: 10,
    });
  });

  it("[archive.read] reaches back to its start, if it reaches the floor", () => {
    expect(earliestOf({ floor: 10 })).toBe(10);
    expect(earliestOf(reaching)).toBe(3);
    expect(earliestOf({ ...reaching, archivedFrom: 11 })).toBe(10);
    expect(earliestOf({ ...reaching, archivedTo: 10 })).toBe(3);
    expect(earliestOf(gap)).toBe(10);
  });

  it("[archive.stop] a reader within an archive that has stopped reads back to its start", () => {
    expect(earliestBefore(gap, 7)).toBe(3);
    expect(earliestBefore(gap, 8)).toBe(10);
    expect(earliestBefore(gap, 11)).toBe(10);
    expect(earliestBefore(reaching, 11)).toBe(3);
  });

  it("[archive.read] has the sequences from its start to its watermark", () => {
    expect([2, 3, 6, 7].map((sequence) => isArchived(gap, sequence))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isArchived({ floor: 10 }, 3)).toBe(false);
  });
});
