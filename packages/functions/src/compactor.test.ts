import type { Ledger } from "@eventledger/core";
import { afterEach, expect, it, vi } from "vitest";
import { createCompactorHandler } from "./compactor.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const record = (pk: string, SequenceNumber: string) => ({
  dynamodb: { SequenceNumber, Keys: { pk: { S: pk } } },
});

it("a compactor logs each stuck partition, and asks again from the first record that may pass", async () => {
  const lines: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  const stuck = [
    { stream: "orders", partition: 1, code: "invariant", failures: 3, error: new Error("a gap") },
  ];
  const ring = vi.fn(async () => ({ again: ["P2"], stuck }));
  const compact = createCompactorHandler({ ring } as unknown as Ledger);
  const answer = await compact({ Records: [record("P1", "1"), record("P2", "2"), {}] });
  expect(ring).toHaveBeenCalledWith(["P1", "P2", ""]);
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "ERROR", stream: "orders", partition: 1, code: "invariant", failures: 3 },
  ]);
  expect(lines[0]).toContain("a gap");
});
