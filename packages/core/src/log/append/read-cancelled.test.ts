import { describe, expect, it } from "vitest";
import type { Life } from "../../model/names.ts";
import type { Batch } from "../../table/batch.ts";
import type { ReceiptRow } from "../../table/receipt.entity.ts";
import { type AppendPlan, readCancelled } from "./append-plan.ts";

const batch = (id: number, more: Partial<Batch> = {}): Batch => ({
  first: 1,
  count: 1,
  batchId: new Uint8Array(16).fill(id),
  publishedAt: 0,
  rawBytes: 1,
  payload: new Uint8Array(1),
  ...more,
});

const row = (key: string, id: number): ReceiptRow => ({
  key,
  requestHash: "hash",
  parts: [
    { partition: 0, first: 1, count: 1, batchFirst: 1, batchId: new Uint8Array(16).fill(id) },
  ],
  publishedAt: 0,
  expiresAt: 0,
});

/** A plan of two batches with ids 1 and 2 and the receipts of two keys. */
const plan: AppendPlan = {
  append: {
    life: "orders#1" as Life,
    batches: [
      { partition: 0, batch: batch(1) },
      { partition: 1, batch: batch(2) },
    ],
    receipts: [row("x", 1), row("y", 1)],
    token: "",
  },
  receipts: [],
  ends: new Map(),
  claims: [],
};

const NOTHING = [undefined, undefined];

describe("readCancelled", () => {
  it("any trace of the plan itself counts as success", () => {
    const traces = [
      { batches: [batch(1), batch(2)], receipts: [row("x", 1), row("y", 1)] },
      { batches: [undefined, batch(2)], receipts: NOTHING },
      { batches: NOTHING, receipts: [row("x", 1), undefined] },
    ];
    for (const found of traces) expect(readCancelled(plan, found)).toEqual({ kind: "landed" });
  });

  it("another plan's batch counts as a lost race, even at the same place with the same size", () => {
    const found = { batches: [batch(9), undefined], receipts: NOTHING };
    expect(readCancelled(plan, found)).toEqual({ kind: "lost" });
  });

  it("a seal counts as the end of the stream", () => {
    const found = { batches: [undefined, batch(9, { kind: "seal" })], receipts: NOTHING };
    expect(readCancelled(plan, found)).toEqual({ kind: "sealed" });
  });

  it("a stored receipt settles a request before the chain is read", () => {
    const settled = { kind: "settled", rows: new Map([["y", row("y", 9)]]) };
    const receipts = [undefined, row("y", 9)];
    for (const other of [undefined, batch(9), batch(9, { kind: "seal" })]) {
      expect(readCancelled(plan, { batches: [other, undefined], receipts })).toEqual(settled);
    }
  });

  it("an obstacle that the store did not return counts as a lost race", () => {
    expect(readCancelled(plan, { batches: NOTHING, receipts: NOTHING })).toEqual({ kind: "lost" });
  });
});
