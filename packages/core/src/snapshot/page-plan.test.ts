import { LIMITS } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import { packEvents } from "../log/codec.ts";
import { ADDED_BYTES } from "../log/read/page-cut.ts";
import { type Bootstrap, formatScan } from "../model/snapshot-progress.ts";
import type { CompactedRow } from "../table/compacted-row.ts";
import { beginPage, planQueries } from "./page-plan.ts";
import { planScan } from "./scan-plan.ts";

const bootstrap: Bootstrap = {
  run: "run",
  startedAt: 0,
  scan: formatScan(0),
  starts: [100],
  exactFrom: [1],
};

const rowAt = (sequence: number, rawBytes = 100): CompactedRow => ({
  key: `k${String(sequence).padStart(3, "0")}`,
  bucket: 0,
  partition: 0,
  sequence,
  publishedAt: 0,
  rawBytes,
  payload: packEvents([]).payload,
});

describe("a query for a snapshot page", () => {
  it("asks for about as many rows as still fit, by the size of those in the page", () => {
    const page = beginPage(bootstrap, { limit: 1_000 });
    const room = { ...page.room, events: 872, bytes: LIMITS.pageBytesMax / 2 };
    expect(planQueries({ ...page, room })[0]?.limit).toBe(128);
    const nearlyFull = { ...page.room, events: 900, bytes: 1 };
    expect(planQueries({ ...page, room: nearlyFull })).toEqual([]);
  });
});

describe("a scan", () => {
  const scan = (rows: readonly CompactedRow[], bytes: number, empty: boolean, events = 10) =>
    planScan(bootstrap, { bucket: 0, rows, more: true }, { events, bytes, rows: 10 }, { empty });

  it("[bootstrap.progress] stops before the row that does not fit, and continues there", () => {
    const rows = [rowAt(1), rowAt(2), rowAt(3)];
    const room = 2 * (100 + ADDED_BYTES);
    const plan = scan(rows, room, true);
    expect(plan).toMatchObject({ full: true, room: { events: 8, bytes: 0, rows: 8 } });
    expect(plan.taken).toEqual(rows.slice(0, 2));
    expect(plan.bootstrap).toMatchObject({ scan: formatScan(0, "k002"), exactFrom: [3] });
    expect(scan(rows, room, true, 1).taken).toEqual(rows.slice(0, 1));
  });

  it("an empty page takes a row of any size, and a page with events does not", () => {
    expect(scan([rowAt(1)], 1, true).taken).toHaveLength(1);
    expect(scan([rowAt(1), rowAt(2)], 1, true)).toMatchObject({ full: true, taken: [rowAt(1)] });
    expect(scan([rowAt(1)], 1, false)).toMatchObject({ full: true, taken: [] });
  });

  it("[bootstrap.exact] leaves out rows that are newer than the snapshot, and counts them as seen", () => {
    const plan = scan([rowAt(99), rowAt(100)], 10_000, true);
    expect(plan.taken.map(({ sequence }) => sequence)).toEqual([99]);
    expect(plan.bootstrap.exactFrom).toEqual([101]);
  });
});
