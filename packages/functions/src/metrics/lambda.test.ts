import type { Ledger } from "@eventledger/core";
import { afterEach, expect, it, vi } from "vitest";
import { createRequestLog } from "./lambda.ts";
import { meterLedger } from "./metered-ledger.ts";
import { createMetrics } from "./metrics.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("an answered request writes its line, and then the metrics", () => {
  const lines: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  const metrics = createMetrics();
  metrics.count("EventsPublished", 2);
  createRequestLog(metrics, { tableName: "ledger" })({
    ...{ requestId: "r", method: "GET", route: "/streams", status: 404, ms: 1 },
    problem: "stream-not-found",
  } as never);
  const [request, counted] = lines.map((line) => JSON.parse(line));
  expect(request).toMatchObject({ status: 404, problem: "stream-not-found" });
  expect(counted).toMatchObject({ EventsPublished: 2, TableName: "ledger" });
});

it.each([
  ["is 0 after a sweep that visits everything", { done: true, stuck: [] }, 0],
  ["is measured after one that does not", { done: false, stuck: [] }, 42],
  ["is measured where a partition is stuck", { done: true, stuck: [{}] }, 42],
])("the lag of compaction %s", async (_, swept, lag) => {
  const metrics = createMetrics();
  const ledger = { sweep: async () => swept, compactionLag: async () => 42 };
  await meterLedger(ledger as unknown as Ledger, metrics).sweep();
  expect(metrics.readings()).toMatchObject([{ name: "CompactionLagSeconds", value: lag }]);
});
