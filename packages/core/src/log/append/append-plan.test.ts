import { describe, expect, it } from "vitest";
import { type Wait, wait } from "../../../../../test/support/append-requests.ts";
import type { Life } from "../../model/names.ts";
import type { Batch } from "../../table/batch.ts";
import type { ReceiptRow } from "../../table/receipt.entity.ts";
import type { End } from "../end.ts";
import { type AppendPlan, type PackedPartition, planAppend, readCancelled } from "./append-plan.ts";
import type { ClaimRow } from "./claim-plan.ts";

const stamp = { wallMs: 0, monotonicMs: 0 };
const endAt = (next: number, publishedAt = 0, expiresAt = 0): End => ({
  next,
  publishedAt,
  expiresAt,
  stamp,
});

const packed = (partition: number, counts: readonly number[]): PackedPartition => ({
  partition,
  chunks: counts.map((count) => ({ count, rawBytes: count, payload: new Uint8Array(count) })),
});

const plan = (
  requests: readonly Wait[],
  of: readonly PackedPartition[],
  ends: ReadonlyMap<number, End>,
  claims: readonly (ClaimRow | undefined)[] = requests.map(() => undefined),
) => {
  let ids = 0;
  return planAppend({
    life: "orders#1" as Life,
    requests: requests.map(({ request }) => request),
    packed: of,
    ends,
    nowMs: 5_000,
    keepMs: 10_000,
    archived: false,
    receiptExpiresAt: 99,
    newBatchId: () => new Uint8Array(16).fill(++ids),
    claims,
  });
};

describe("planAppend", () => {
  it("batches are numbered from the ends of their chains, one after the other", () => {
    const { append, ends } = plan(
      [wait("a", [0], { events: 5 }), wait("b", [2])],
      [packed(0, [3, 2]), packed(2, [1])],
      new Map([
        [0, endAt(8)],
        [2, endAt(1)],
      ]),
    );
    const laid = append.batches.map(({ partition, batch: { first, count } }) => [
      partition,
      first,
      count,
    ]);
    expect(laid).toEqual([
      [0, 8, 3],
      [0, 11, 2],
      [2, 1, 1],
    ]);
    expect([...ends].map(([partition, { next }]) => [partition, next])).toEqual([
      [0, 13],
      [2, 2],
    ]);
    expect(new Set(append.batches.map(({ batch }) => batch.batchId[0])).size).toBe(3);
    expect(append.token).toBe("01".repeat(16));
  });

  it("times never decrease along a chain", () => {
    const late = plan([wait("a", [0])], [packed(0, [1])], new Map([[0, endAt(2, 7_000, 900)]]));
    expect(late.append.batches[0]?.batch).toMatchObject({ publishedAt: 7_000, expiresAt: 900 });
    const usual = plan([wait("a", [0])], [packed(0, [1])], new Map([[0, endAt(2, 4_000, 3)]]));
    expect(usual.append.batches[0]?.batch).toMatchObject({ publishedAt: 5_000, expiresAt: 15 });
  });

  it("every request learns where its own events are, across batches", () => {
    const { receipts } = plan(
      [wait("a", [0], { events: 2 }), wait("b", [0], { events: 3 }), wait("c", [0])],
      [packed(0, [3, 3])],
      new Map([[0, endAt(11)]]),
    );
    const runs = receipts.map(({ parts }) =>
      parts.map(({ first, count, batchFirst, batchId }) => [first, count, batchFirst, batchId[0]]),
    );
    expect(runs).toEqual([
      [[11, 2, 11, 1]],
      [
        [13, 1, 11, 1],
        [14, 2, 14, 2],
      ],
      [[16, 1, 14, 2]],
    ]);
  });

  it("only requests with an idempotency key get a receipt", () => {
    const { append, receipts } = plan(
      [wait("a", [0]), wait("b", [0], { key: "x" })],
      [packed(0, [2])],
      new Map([[0, endAt(1)]]),
    );
    expect(append.receipts).toEqual([
      { key: "x", requestHash: "hash", ...receipts[1], expiresAt: 99 },
    ]);
  });

  it("gives a receipt the latest time of its partitions", () => {
    const ends = new Map([
      [0, endAt(1, 7_000)],
      [1, endAt(1)],
    ]);
    const { receipts } = plan([wait("a", [0, 1])], [packed(0, [1]), packed(1, [1])], ends);
    expect(receipts[0]?.publishedAt).toBe(7_000);
  });

  it("names a claim in its batch, and writes no receipt for it", () => {
    const claim = claimOf("x", 7);
    const { append, claims } = plan(
      [wait("a", [0]), wait("b", [0], { key: "x" })],
      [packed(0, [2])],
      new Map([[0, endAt(1)]]),
      [undefined, claim],
    );
    expect(append.batches[0]?.batch.claims).toEqual([[claim.claimId, 1, 1]]);
    expect(append.receipts).toEqual([]);
    expect(claims).toEqual([claim]);
  });

  it("refuses a claim that one batch does not hold, and ends and events that are not there", () => {
    const ends = new Map([[0, endAt(1)]]);
    const request = wait("a", [0], { key: "x", events: 2 });
    const claims = [claimOf("x", 7)];
    expect(() => plan([request], [packed(0, [1, 1])], ends, claims)).toThrow("A claim needs one");
    expect(() => plan([request], [packed(1, [2])], ends)).toThrow("end of partition 1 is unknown");
    expect(() => plan([request], [packed(0, [1])], ends)).toThrow(
      "fewer events than were requested",
    );
  });
});

const claimOf = (key: string, id: number): ClaimRow => ({
  key,
  requestHash: "hash",
  claimId: new Uint8Array(8).fill(id),
  claimPartition: 0,
  claimFrom: 1,
  parts: [],
  publishedAt: 0,
  expiresAt: 99,
});

describe("readCancelled", () => {
  const claim = claimOf("x", 7);
  const planned: AppendPlan = plan(
    [wait("a", [0]), wait("b", [0], { key: "x" })],
    [packed(0, [2])],
    new Map([[0, endAt(1)]]),
    [undefined, claim],
  );
  const [own] = planned.append.batches.map(({ batch }) => batch);
  const batch = own ?? expect.fail("no batch");
  const foreign = { ...batch, batchId: new Uint8Array(16).fill(9) };
  const part = { partition: 0, first: 1, count: 1, batchFirst: 1 };
  const receiptOf = (batchId: Uint8Array) => ({ ...claim, parts: [{ ...part, batchId }] });

  it("knows its own batch, in the chain or in a receipt, whatever else is there", () => {
    const found = { batches: [batch], receipts: [receiptOf(foreign.batchId)] };
    expect(readCancelled(planned, found)).toEqual({ kind: "landed" });
    const byReceipt = { batches: [undefined, foreign], receipts: [receiptOf(batch.batchId)] };
    expect(readCancelled(planned, byReceipt)).toEqual({ kind: "landed" });
  });

  it("settles what another append settled, by its receipt or by a batch that names the claim", () => {
    const byReceipt = { batches: [], receipts: [undefined, receiptOf(foreign.batchId)] };
    expect(readCancelled(planned, byReceipt)).toMatchObject({ kind: "settled" });
    const seen = readCancelled(planned, { batches: [foreign], receipts: [] });
    const rows = seen.kind === "settled" ? [...seen.rows] : [];
    expect(rows).toMatchObject([["x", { parts: [{ first: 2, count: 1 }] }]]);
  });

  it("has lost to a batch of others, and ends at a seal", () => {
    const { claims: _, ...other } = foreign;
    expect(readCancelled(planned, { batches: [other], receipts: [] })).toEqual({ kind: "lost" });
    const seal = { ...other, kind: "seal" as const };
    const found = { batches: [undefined, seal], receipts: [undefined] };
    expect(readCancelled(planned, found)).toEqual({ kind: "sealed" });
  });
});

describe("a cancelled transaction of several batches", () => {
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
