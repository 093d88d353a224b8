import { describe, expect, it } from "vitest";
import type { Life } from "../../model/names.ts";
import type { Batch } from "../../table/batch.ts";
import type { AppendPlan } from "./append-plan.ts";
import { createConclusion } from "./conclusion.ts";
import type { Sent } from "./send.ts";
import type { Waiting } from "./waiting.ts";

const life = "orders#1" as Life;
const stamp = { wallMs: 0, monotonicMs: 0 };
const batch = (id: number, more: Partial<Batch> = {}): Batch => ({
  first: 5,
  count: 1,
  batchId: Uint8Array.of(id),
  publishedAt: 1,
  rawBytes: 1,
  payload: new Uint8Array(1),
  ...more,
});
const [mine, others] = [batch(1), batch(2)];
const receipt = { parts: [], publishedAt: 1 };
const plan: AppendPlan = {
  append: { life, batches: [{ partition: 0, batch: mine }], receipts: [], token: "" },
  receipts: [receipt, receipt],
  ends: new Map([[0, { next: 6, publishedAt: 1, expiresAt: 1 }]]),
  claims: [],
};

function concluded(verdict: Sent, lostPartitions: readonly number[] = [0]) {
  const did: string[] = [];
  const conclude = createConclusion({
    ends: {
      forget: () => void did.push("forget ends"),
      written: () => void did.push("learn ends"),
      lost: () => new Set(lostPartitions),
    },
    lastEvents: { written: () => void did.push("learn events") },
    claims: { passed: () => void did.push("pass claims") },
    observe: (step) => void did.push(step),
  });
  const settled: unknown[] = [];
  const target = { life, partitions: 1, retentionHours: 1, stamp };
  const live = ["a", "b"].map(
    (key): Waiting => ({
      request: { drafts: [], partitions: [], bytes: 0, idempotency: { key, requestHash: "h" } },
      target,
      arrivedAt: 0,
      deadline: 5_000,
      settled: false,
      resolve: (appended) => settled.push(appended),
      reject: (error) => settled.push(error),
    }),
  );
  const left = conclude(
    { kind: "sent", live, plan, verdict },
    { lost: () => void did.push("lose") },
  );
  return { did, settled, left: left.map(({ request }) => request.idempotency?.key) };
}

describe("the conclusion of an attempt", () => {
  const landed = { replayed: false, receipt };

  it("all requests get their receipts once the plan is written", () => {
    const { did, settled, left } = concluded({ kind: "written", stamp });
    expect([settled, left]).toEqual([[landed, landed], []]);
    expect(did).toEqual(["Appends", "learn ends", "learn events"]);
  });

  it("its own batch in the way means that the answer was lost", () => {
    const own = concluded({ kind: "cancelled", batches: [mine], receipts: [], stamp });
    expect(own.settled).toEqual([landed, landed]);
  });

  it("all requests retry after a lost race, which is counted", () => {
    const { did, settled, left } = concluded({
      kind: "cancelled",
      batches: [others],
      receipts: [],
      stamp,
    });
    expect([settled, left]).toEqual([[], ["a", "b"]]);
    expect(did).toEqual(["AppendConflicts", "pass claims", "lose"]);
  });

  it("the ends are read again when nothing shows who was faster", () => {
    const { did } = concluded({ kind: "cancelled", batches: [undefined], receipts: [], stamp }, []);
    expect(did).toEqual(["AppendConflicts", "forget ends"]);
  });

  it("the request with a settled key is settled, and the others retry", () => {
    const row = { ...receipt, key: "a", requestHash: "h", expiresAt: 9 };
    const { settled, left } = concluded({ kind: "cancelled", batches: [], receipts: [row], stamp });
    expect([settled, left]).toEqual([[{ replayed: true, receipt: row }], ["b"]]);
  });

  it("a seal answers that the stream does not exist", () => {
    const batches = [batch(3, { kind: "seal", count: 0 })];
    const { settled, left } = concluded({ kind: "cancelled", batches, receipts: [], stamp });
    expect(left).toEqual([]);
    expect(settled).toMatchObject([{ code: "stream-not-found" }, { code: "stream-not-found" }]);
  });

  it("an unknown outcome is reported as unknown, and the ends are forgotten", () => {
    const { did, settled, left } = concluded({ kind: "unknown", cause: new Error("late"), stamp });
    expect([did, left]).toEqual([["forget ends"], []]);
    expect(settled).toMatchObject([{ code: "outcome-unknown" }, { code: "outcome-unknown" }]);
  });
});
