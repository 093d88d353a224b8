import { describe, expect, it } from "vitest";
import type { RawJson } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import type { End } from "../end.ts";
import { type AppendRequest, type Draft, type PackedPartition, planAppend } from "./append-plan.ts";

type Wait = { readonly name: string; readonly request: AppendRequest };

/** Returns events of one partition. */
const drafts = (partition: number, count: number): Draft[] =>
  Array.from({ length: count }, () => ({
    partition,
    key: "k",
    id: undefined,
    head: '["k",1]',
    data: "1" as RawJson,
    bytes: 11,
  }));

/** Returns a request with one event for each named partition. */
const wait = (
  name: string,
  partitions: readonly number[],
  { key, bytes = 100, events = 1 }: { key?: string; bytes?: number; events?: number } = {},
): Wait => ({
  name,
  request: {
    drafts: partitions.flatMap((partition) => drafts(partition, events)),
    partitions,
    bytes,
    ...(key === undefined ? {} : { idempotency: { key, requestHash: "hash" } }),
  },
});

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
) => {
  let ids = 0;
  return planAppend({
    life: "orders#1" as Life,
    requests: requests.map(({ request }) => request),
    packed: of,
    ends,
    nowMs: 5_000,
    keepMs: 10_000,
    receiptExpiresAt: 99,
    newBatchId: () => new Uint8Array(16).fill(++ids),
    claims: requests.map(() => undefined),
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
});
