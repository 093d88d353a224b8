import { expect, it } from "vitest";
import type { ClaimedRun } from "../../table/batch.ts";
import { readClaim } from "./claim-plan.ts";

const id = (fill: number) => new Uint8Array(16).fill(fill);

it("[publish.idempotent] a batch settles the claims that it names, each with its own events", () => {
  const claims: ClaimedRun[] = [
    [id(1), 0, 2],
    [id(2), 2, 3],
  ];
  const content = { rawBytes: 1, payload: new Uint8Array(1) };
  const batch = { first: 11, count: 5, batchId: id(9), publishedAt: 7, ...content, claims };
  expect(readClaim(3, batch, id(2))).toEqual({
    parts: [{ partition: 3, first: 13, count: 3, batchFirst: 11, batchId: id(9) }],
    publishedAt: 7,
  });
  expect(readClaim(3, batch, id(1))?.parts[0]).toMatchObject({ first: 11, count: 2 });
  expect(readClaim(3, batch, id(3))).toBeUndefined();
});
