import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { edgeAt } from "../../model/position.ts";
import type { Batch } from "../../table/batch.ts";
import { planRun } from "./read-plan.ts";

const PAGE = { events: 1_000, bytes: 5_000_000 };

const batchAt = (first: number, count: number, more: Partial<Batch> = {}): Batch => ({
  first,
  count,
  batchId: new Uint8Array(16),
  publishedAt: first * 10,
  rawBytes: count * 100,
  payload: new Uint8Array(),
  ...more,
});

/** Returns consecutive batches of these sizes, from sequence 1. */
const chain = (counts: readonly number[]): Batch[] => {
  let next = 1;
  return counts.map((count) => {
    next += count;
    return batchAt(next - count, count);
  });
};

const sequencesOf = ({ slices }: ReturnType<typeof planRun>): number[] =>
  slices.flatMap(({ batch, from, to }) =>
    Array.from({ length: to - from }, (_, index) => batch.first + from + index),
  );

describe("planRun", () => {
  it("a run takes whole batches until the rows end", () => {
    const plan = planRun(chain([2, 3]), edgeAt(1), PAGE);
    expect(sequencesOf(plan)).toEqual([1, 2, 3, 4, 5]);
    expect(plan).toMatchObject({ position: { batch: 6, next: 6 }, stop: "end" });
  });

  it("a run stops at a gap, after the events before it", () => {
    const plan = planRun([batchAt(1, 2), batchAt(4, 1)], edgeAt(1), PAGE);
    expect(sequencesOf(plan)).toEqual([1, 2]);
    expect(plan).toMatchObject({ position: { batch: 3, next: 3 }, stop: "gap" });
  });

  it("a run takes nothing when the first row is out of place", () => {
    for (const start of [edgeAt(1), edgeAt(3), { batch: 1, next: 3 }]) {
      const plan = planRun([batchAt(2, 5)], start, PAGE);
      expect(plan).toMatchObject({ slices: [], position: start, stop: "gap" });
    }
  });

  it("a run stops at a seal", () => {
    const seal = batchAt(3, 0, { kind: "seal" });
    const plan = planRun([batchAt(1, 2), seal], edgeAt(1), PAGE);
    expect(sequencesOf(plan)).toEqual([1, 2]);
    expect(plan.stop).toBe("seal");
  });

  it("a run can start and end inside batches", () => {
    const plan = planRun(chain([4, 4]), { batch: 1, next: 3 }, { ...PAGE, events: 3 });
    expect(sequencesOf(plan)).toEqual([3, 4, 5]);
    expect(plan).toMatchObject({ position: { batch: 5, next: 6 }, stop: "room" });
    expect(plan.nextPublishedAt).toBe(50);
  });

  it("a run that has read a batch to its last event leaves that batch", () => {
    const plan = planRun(chain([4]), { batch: 1, next: 3 }, { ...PAGE, events: 2 });
    expect(plan.position).toEqual({ batch: 5, next: 5 });
    expect(plan.room.events).toBe(0);
  });

  it("a run takes a batch only if all of it fits", () => {
    const one = planRun(chain([2, 3]), edgeAt(1), { ...PAGE, bytes: 2 * 260 + 3 * 260 - 1 });
    expect(sequencesOf(one)).toEqual([1, 2]);
    expect(one).toMatchObject({ stop: "room", nextPublishedAt: 30 });
    const both = planRun(chain([2, 3]), edgeAt(1), { ...PAGE, bytes: 2 * 260 + 3 * 260 });
    expect(sequencesOf(both)).toEqual([1, 2, 3, 4, 5]);
    expect(both.room.bytes).toBe(0);
  });

  it("runs of any page sizes read any chain once and in order", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
    const pages = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
    return fc.assert(
      fc.property(sizes, pages, (counts, limits) => {
        const rows = chain(counts);
        const total = counts.reduce((sum, count) => sum + count, 0);
        const read: number[] = [];
        let position = edgeAt(1);
        for (let page = 0; position.next <= total; page++) {
          const events = limits[page % limits.length] ?? 1;
          const from = position.batch;
          const plan = planRun(
            rows.filter(({ first }) => first >= from),
            position,
            { ...PAGE, events },
          );
          const got = sequencesOf(plan);
          expect(got.length).toBe(Math.min(events, total - read.length));
          read.push(...got);
          ({ position } = plan);
        }
        expect(read).toEqual(Array.from({ length: total }, (_, index) => index + 1));
      }),
    );
  });
});
