import { describe, expect, it } from "vitest";
import { createEmfWriter } from "./emf.ts";
import { createMetrics } from "./metrics.ts";
import { printPrometheus } from "./prometheus.ts";
import { countProblems, printAnswered } from "./request-log.ts";
import { createStoreMeter } from "./store-meter.ts";

/** Opens a writer with a clock that the test controls, and collects the lines it writes. */
function openEmf() {
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const clock = { nowMs: 1_790_000_000_000 };
  const emf = createEmfWriter({
    metrics,
    tableName: "ledger",
    write: (line) => {
      lines.push(JSON.parse(line));
    },
    now: () => clock.nowMs,
  });
  return { metrics, lines, clock, flush: emf.flush };
}

describe("the embedded metric format", () => {
  it("each metric is declared with its unit and the table as its only dimension", () => {
    const { metrics, lines, flush } = openEmf();
    metrics.count("EventsPublished", 3);
    metrics.count("BytesPublished", 700);
    flush();
    expect(lines).toEqual([
      {
        _aws: {
          Timestamp: 1_790_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: "EventLedger",
              Dimensions: [["TableName"]],
              Metrics: [
                { Name: "EventsPublished", Unit: "Count" },
                { Name: "BytesPublished", Unit: "Bytes" },
              ],
            },
          ],
        },
        TableName: "ledger",
        EventsPublished: 3,
        BytesPublished: 700,
      },
    ]);
  });

  it("labels are added up and kept next to the sum", () => {
    const { metrics, lines, flush } = openEmf();
    metrics.count("Problems", 1, "stream-busy");
    metrics.count("Problems", 2, "invalid-request");
    flush();
    expect(lines[0]).toMatchObject({
      Problems: 3,
      ProblemsBy: { "stream-busy": 1, "invalid-request": 2 },
    });
  });

  it("metrics that CloudWatch has from DynamoDB are written only by label", () => {
    const { metrics, lines, flush } = openEmf();
    metrics.count("WriteUnits", 2, "PutItem");
    flush();
    expect(lines[0]).toEqual({
      timestamp: "2026-09-21T14:13:20.000Z",
      level: "INFO",
      WriteUnitsBy: { PutItem: 2 },
    });
  });

  it("numbers that are only logged are in the line and declare no metric", () => {
    const { metrics, lines, flush } = openEmf();
    metrics.count("Polls", 1);
    metrics.gauge("CompactionLagEvents", 40);
    flush();
    expect(lines).toMatchObject([
      {
        _aws: { CloudWatchMetrics: [{ Metrics: [{ Name: "Polls", Unit: "Count" }] }] },
        CompactionLagEvents: 40,
      },
    ]);
  });

  it("the highest value of a gauge since the last line is written, unless it is 0", () => {
    const { metrics, lines, flush } = openEmf();
    metrics.gauge("CompactionLagSeconds", 40);
    metrics.gauge("CompactionLagSeconds", 2);
    flush();
    metrics.gauge("CompactionLagSeconds", 0);
    flush();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ CompactionLagSeconds: 40 });
  });

  it("a short burst is written at once, and a long one every 10 s without losing any count", () => {
    const { metrics, lines, clock, flush } = openEmf();
    for (let request = 0; request < 60; request++) {
      metrics.count("Polls");
      flush();
    }
    expect(lines).toHaveLength(60);
    for (let second = 0; second < 100; second++) {
      clock.nowMs += 1_000;
      metrics.count("Polls", 5);
      flush();
    }
    expect(lines).toHaveLength(70);
    const written = lines.reduce((sum, { Polls }) => sum + Number(Polls), 0);
    expect(written).toBe(560);
  });
});

describe("Prometheus' text format", () => {
  it("every metric has help, type and value, with 0 for what has not happened", () => {
    const metrics = createMetrics();
    metrics.count("EventsPublished", 3);
    metrics.drain();
    metrics.count("EventsPublished", 4);
    metrics.gauge("SubscriptionLagSeconds", 9);
    metrics.gauge("SubscriptionLagSeconds", 1.5);
    metrics.count("Problems", 2, "stream-busy");
    const page = printPrometheus(metrics.readings());
    expect(page).toContain("# TYPE eventledger_events_published_total counter\n");
    expect(page).toContain("\neventledger_events_published_total 7\n");
    expect(page).toContain("\neventledger_subscription_lag_seconds 1.5\n");
    expect(page).toContain('\neventledger_problems_total{code="stream-busy"} 2\n');
    expect(page).toContain("\neventledger_polls_total 0\n");
    expect(page).toMatch(/^(# (HELP|TYPE) \S+ .+\n|[a-z_]+(\{[a-z]+="[^"]*"\})? [\d.]+\n)+$/);
  });
});

describe("the line of a request", () => {
  it("the line has the level ERROR when the server failed", () => {
    const answered = { requestId: "r", method: "GET", route: "/streams", status: 503, ms: 4 };
    const line = printAnswered({ ...answered, problem: "store-unavailable" }, 1_790_000_000_000);
    expect(line).toBe(
      '{"timestamp":"2026-09-21T14:13:20.000Z","level":"ERROR","requestId":"r","method":"GET",' +
        '"route":"/streams","status":503,"ms":4,"problem":"store-unavailable"}',
    );
  });
});

describe("the meter of the table", () => {
  const send = (metrics: ReturnType<typeof createMetrics>, commandName: string, answer: unknown) =>
    createStoreMeter(metrics)(
      async ({ input }: { input: object }) => {
        if (answer instanceof Error) throw answer;
        return { input, output: answer as object };
      },
      { commandName },
    )({ input: { TableName: "t" } });

  it("the meter adds up the charge of each item of a transaction", async () => {
    const metrics = createMetrics();
    const charged = [{ CapacityUnits: 4 }, { CapacityUnits: 2 }];
    const { input } = await send(metrics, "TransactWriteItemsCommand", {
      ConsumedCapacity: charged,
    });
    expect(input).toEqual({ TableName: "t", ReturnConsumedCapacity: "TOTAL" });
    expect(metrics.readings()).toEqual([
      { name: "WriteUnits", label: "TransactWriteItems", value: 6 },
    ]);
  });

  it("throttled operations are counted, and their error passes through", async () => {
    const metrics = createMetrics();
    const error = Object.assign(new Error(), { name: "ProvisionedThroughputExceededException" });
    await expect(send(metrics, "QueryCommand", error)).rejects.toBe(error);
    expect(metrics.readings()).toEqual([{ name: "StoreThrottles", label: "Query", value: 1 }]);
  });

  it("other operations are not changed", async () => {
    const { input } = await send(createMetrics(), "DescribeTableCommand", {});
    expect(input).toEqual({ TableName: "t" });
  });
});

it("only answers with a problem are counted as problems", () => {
  const metrics = createMetrics();
  const count = countProblems(metrics);
  const answered = { requestId: "1", method: "GET", route: "none", status: 404, ms: 1 };
  count({ ...answered, status: 200 });
  expect(metrics.readings()).toEqual([]);
  count({ ...answered, problem: "stream-not-found" });
  expect(metrics.readings()).toEqual([{ name: "Problems", label: "stream-not-found", value: 1 }]);
});
