import { beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "./evaluate.ts";
import type { Inventory } from "./inventory.ts";

let silent: Inventory;
let mailed: Inventory;
beforeAll(async () => {
  silent = await evaluate({ stage: "production" });
  mailed = await evaluate({ stage: "production", env: { ALARM_EMAIL: "ops@example.com" } });
});

describe("the alarms", () => {
  it("watch these metrics", () => {
    const table = { TableName: silent.inputs("Table").name };
    const router = { FunctionName: silent.inputs("Function", "Router").name };
    const compactor = { FunctionName: silent.inputs("Function", "LedgerSubscriber").name };
    const sweeper = { FunctionName: silent.inputs("Function", "Sweeper").name };
    const queue = { QueueName: silent.inputs("Queue").name };
    const api = { ApiId: silent.inputs("Stage").apiId };
    const watched = silent.all("MetricAlarm").map(({ name, inputs }) => {
      const { namespace, metricName, dimensions, statistic, threshold } = inputs;
      return [name, [namespace, metricName, dimensions, statistic, threshold]];
    });
    expect(Object.fromEntries(watched)).toEqual({
      ServerErrors: ["AWS/ApiGateway", "5xx", api, "Sum", 5],
      RouterThrottles: ["AWS/Lambda", "Throttles", router, "Sum", 1],
      ReadThrottles: ["AWS/DynamoDB", "ReadThrottleEvents", table, "Sum", 10],
      WriteThrottles: ["AWS/DynamoDB", "WriteThrottleEvents", table, "Sum", 10],
      CompactionLag: ["EventLedger", "CompactionLagSeconds", table, "Maximum", 900],
      CompactorBehind: ["AWS/Lambda", "IteratorAge", compactor, "Maximum", 900_000],
      CompactorGaveUp: ["AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, "Maximum", 1],
      SweeperErrors: ["AWS/Lambda", "Errors", sweeper, "Sum", 1],
      SweeperSilent: ["AWS/Lambda", "Invocations", sweeper, "Sum", 1],
    });
  });

  it("take silence as good news, except from the sweeper", () => {
    const missing = silent
      .all("MetricAlarm")
      .map(({ name, inputs }) => [name, inputs.treatMissingData])
      .filter(([, treatment]) => treatment !== "notBreaching");
    expect(Object.fromEntries(missing)).toEqual({
      SweeperSilent: "breaching",
    });
    expect(silent.inputs("MetricAlarm", "CompactionLag").period).toBe(3_600);
    expect(silent.inputs("MetricAlarm", "SweeperSilent")).toMatchObject({
      comparisonOperator: "LessThanThreshold",
      period: 3_600,
      evaluationPeriods: 3,
    });
  });

  it("tell nobody unless there is an address", () => {
    expect(silent.all("Topic")).toEqual([]);
    for (const { inputs } of silent.all("MetricAlarm")) expect(inputs.alarmActions).toEqual([]);
  });

  it("tell the address when they start and when they end", () => {
    const arn = expect.stringMatching(/^arn:aws:sns:.*:eventledger-production-AlarmsTopic-/);
    expect(mailed.inputs("TopicSubscription")).toMatchObject({
      topic: arn,
      protocol: "email",
      endpoint: "ops@example.com",
    });
    expect(mailed.all("MetricAlarm")).toHaveLength(9);
    for (const { inputs } of mailed.all("MetricAlarm")) {
      expect(inputs).toMatchObject({ alarmActions: [arn], okActions: [arn] });
    }
  });
});
