import { describe, expect, it } from "vitest";
import type { Life } from "../../model/names.ts";
import type { Batch } from "../../table/batch.ts";
import { createBatchSizes, rowsFor } from "./batch-sizes.ts";

const EDGE = { batch: 1, next: 1 };

describe("the rows that a read asks for", () => {
  it.each([
    ["of a thousand events each", { batches: 3, events: 3_000 }, 100, 1],
    ["of one event each", { batches: 8, events: 8 }, 100, 100],
    ["of ten, when the page has room for 95", { batches: 2, events: 20 }, 95, 10],
    ["of one, when a filter looks at 10,000", { batches: 8, events: 8 }, 10_000, 512],
  ])("are as many as hold the page, after batches %s", (_, seen, events, rows) => {
    expect(rowsFor(events, seen, EDGE)).toBe(rows);
  });

  it("are few while nothing is known, and one inside a large batch", () => {
    expect(rowsFor(1_000, undefined, EDGE)).toBe(2);
    expect(rowsFor(100, undefined, { batch: 1, next: 101 })).toBe(1);
  });

  it("go by the batches of their own partition, and not by seals and jumps", () => {
    const sizes = createBatchSizes();
    const life = "s#u" as Life;
    const batch = (count: number, kind?: Batch["kind"]) => ({ count, kind }) as Batch;
    sizes.learn(life, 0, [batch(10), batch(30), batch(9_000, "jump")]);
    sizes.learn(life, 1, [batch(1, "seal")]);
    expect(sizes.recall(life, 0)).toEqual({ batches: 2, events: 40 });
    expect(sizes.recall(life, 1)).toBeUndefined();
  });
});
