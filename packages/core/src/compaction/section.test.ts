import { describe, expect, it } from "vitest";
import { entryOf, packEvents } from "../log/codec.ts";
import type { RawJson } from "../model/event.ts";
import type { Batch } from "../table/batch.ts";
import { eventOf } from "./compacted-event.ts";
import { planRows } from "./compaction-plan.ts";
import { emptySection, extendSection } from "./section.ts";

type Written = { readonly key: string; readonly data: string; readonly type?: string };

const batchAt = (first: number, events: readonly Written[], more: Partial<Batch> = {}): Batch => ({
  first,
  count: events.length,
  batchId: new Uint8Array(16),
  publishedAt: first,
  ...packEvents(
    events.map(({ data, ...attributes }) => entryOf({ attributes, data: data as RawJson })),
  ),
  ...more,
});

const events: readonly Written[] = [
  { key: "a", data: "1", type: "made" },
  { key: "b", data: "2" },
  { key: "a", data: "null" },
];

describe("a section", () => {
  it("contains the events of batches that follow one another", () => {
    const rows = [batchAt(1, events), batchAt(4, [{ key: "c", data: "4" }])];
    const section = extendSection(emptySection(1), rows, { keepKeys: true });
    expect(section).toMatchObject({ to: 5, events: 4, stop: undefined });
    expect([...section.latest.keys()]).toEqual(["a", "b", "c"]);
  });

  it("numbers that a restore skipped are no events", () => {
    const jump = batchAt(4, [], { kind: "jump", count: 100 });
    const section = extendSection(emptySection(1), [batchAt(1, events), jump], { keepKeys: true });
    expect(section).toMatchObject({ to: 104, events: 3 });
  });

  it("ends at a gap, at a seal and at a turn", () => {
    const ends = [batchAt(4, [], { kind: "seal" }), batchAt(4, [], { kind: "turn" })];
    const stops = [batchAt(5, events), ...ends].map((row) =>
      extendSection(emptySection(1), [batchAt(1, events), row], { keepKeys: false }),
    );
    expect(stops.map(({ to, events: count, stop }) => [to, count, stop])).toEqual([
      [4, 3, "gap"],
      [4, 3, "end"],
      [4, 3, "end"],
    ]);
  });

  it("is compacted to the last event of each key, and a tombstone keeps no content", () => {
    const section = extendSection(
      emptySection(1),
      [batchAt(1, [...events, { key: "c", data: "4", type: "made" }])],
      { keepKeys: true },
    );
    const [a, b, c] = [...planRows(section, { partition: 0, nowMs: 1_000 })];
    const expiresAt = 1 + 604_800;
    expect(a).toMatchObject({ key: "a", sequence: 3, deleted: true, rawBytes: 0, expiresAt });
    expect(a?.payload).toBeUndefined();
    expect([b, c].map((row) => row && eventOf(row))).toMatchObject([
      { key: "b", sequence: 2, data: "2" },
      { key: "c", sequence: 4, data: "4", type: "made" },
    ]);
  });
});
