import { beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "./evaluate.ts";
import type { Inventory } from "./inventory.ts";

const SIGNS: Readonly<Record<string, string>> = {
  GreaterThanOrEqualToThreshold: ">=",
  GreaterThanThreshold: ">",
  LessThanOrEqualToThreshold: "<=",
  LessThanThreshold: "<",
};

let silent: Inventory;
let mailed: Inventory;
beforeAll(async () => {
  silent = await evaluate({ stage: "production" });
  mailed = await evaluate({ stage: "production", env: { ALARM_EMAIL: "ops@example.com" } });
});

describe("the alarms", () => {
  it("the alarms watch these metrics", () => {
    const table = { TableName: silent.inputs("Table").name };
    const router = { FunctionName: silent.inputs("Function", "Router").name };
    const compactor = { FunctionName: silent.inputs("Function", "LedgerSubscriber").name };
    const sweeper = { FunctionName: silent.inputs("Function", "Sweeper").name };
    const queue = { QueueName: silent.inputs("Queue").name };
    const api = { ApiId: silent.inputs("Stage").apiId };
    const watched = silent.all("MetricAlarm").map(({ name, inputs }) => {
      const { namespace, metricName, dimensions } = inputs;
      return [name, [namespace, metricName, dimensions]];
    });
    expect(Object.fromEntries(watched)).toEqual({
      ServerErrors: ["AWS/ApiGateway", "5xx", api],
      RouterThrottles: ["AWS/Lambda", "Throttles", router],
      ReadThrottles: ["AWS/DynamoDB", "ReadThrottleEvents", table],
      WriteThrottles: ["AWS/DynamoDB", "WriteThrottleEvents", table],
      CompactionLag: ["EventLedger", "CompactionLagSeconds", table],
      CompactorBehind: ["AWS/Lambda", "IteratorAge", compactor],
      CompactorGaveUp: ["AWS/SQS", "ApproximateNumberOfMessagesVisible", queue],
      SweeperErrors: ["AWS/Lambda", "Errors", sweeper],
      SweeperSilent: ["AWS/Lambda", "Invocations", sweeper],
    });
  });

  it("the alarms fire when these rules hold", () => {
    const rules = silent.all("MetricAlarm").map(({ name, inputs }) => {
      const { statistic, comparisonOperator, threshold, evaluationPeriods, period } = inputs;
      const sign = SIGNS[String(comparisonOperator)] ?? comparisonOperator;
      return [name, `${statistic} ${sign} ${threshold}, ${evaluationPeriods} x ${period} s`];
    });
    expect(Object.fromEntries(rules)).toEqual({
      ServerErrors: "Sum >= 5, 1 x 300 s",
      RouterThrottles: "Sum >= 1, 1 x 300 s",
      ReadThrottles: "Sum >= 10, 1 x 300 s",
      WriteThrottles: "Sum >= 10, 1 x 300 s",
      CompactionLag: "Maximum >= 900, 1 x 3600 s",
      CompactorBehind: "Maximum >= 900000, 1 x 300 s",
      CompactorGaveUp: "Maximum >= 1, 1 x 300 s",
      SweeperErrors: "Sum >= 1, 1 x 300 s",
      SweeperSilent: "Sum < 1, 3 x 3600 s",
    });
    // An alarm has no further input that would change when it fires.
    for (const { name, inputs } of silent.all("MetricAlarm")) {
      const { datapointsToAlarm, extendedStatistic, metricQueries, actionsEnabled } = inputs;
      const unset = [datapointsToAlarm, extendedStatistic, metricQueries, actionsEnabled];
      expect(unset, name).toEqual([undefined, undefined, undefined, undefined]);
    }
  });

  it("missing data counts as good, except from the sweeper", () => {
    const missing = silent
      .all("MetricAlarm")
      .map(({ name, inputs }) => [name, inputs.treatMissingData])
      .filter(([, treatment]) => treatment !== "notBreaching");
    expect(Object.fromEntries(missing)).toEqual({
      SweeperSilent: "breaching",
    });
  });

  it("no mail is sent without an address", () => {
    expect(silent.all("Topic")).toEqual([]);
    for (const { inputs } of silent.all("MetricAlarm")) expect(inputs.alarmActions).toEqual([]);
  });

  it("the address gets a message when an alarm starts and when it ends", () => {
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
