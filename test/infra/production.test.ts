import { beforeAll, describe, expect, it } from "vitest";
import { TABLE } from "../../packages/local/src/table.ts";
import { ASSUMED } from "../../tools/cost/scenarios.ts";
import { evaluate, SECRETS } from "./evaluate.ts";
import type { Inventory } from "./inventory.ts";
import { sstVersion } from "./platform.ts";

let production: Inventory;
beforeAll(async () => {
  production = await evaluate({ stage: "production" });
});

describe("the production stage", () => {
  it("the production stage consists of these resources and no others", () => {
    const kinds = production.resources.map((one) => one.type.split(":"));
    const count: Record<string, number> = {};
    for (const [provider, , kind = ""] of kinds) {
      if (provider === "aws") count[kind] = (count[kind] ?? 0) + 1;
    }
    expect(count).toEqual({
      Table: 1,
      Queue: 1,
      EventSourceMapping: 1,
      Schedule: 1,
      MetricAlarm: 9,
      Api: 1,
      Stage: 1,
      Route: 1,
      Integration: 1,
      Permission: 1,
      Function: 3,
      BucketObjectv2: 3,
      Role: 4,
      LogGroup: 4,
    });
  });

  it("the program names the installed version of SST", () => {
    expect(production.app.version).toBe(sstVersion());
  });

  it("the stage keeps its table when the program no longer names it, and refuses to be removed", () => {
    expect(production.app).toMatchObject({ removal: "retain", protect: true });
    expect(production.one("Table")).toMatchObject({ protect: true, retainOnDelete: true });
    expect(production.inputs("Table").deletionProtectionEnabled).toBe(true);
  });

  it("the outputs name the URL and the table", () => {
    expect(production.outputs).toMatchObject({
      url: expect.stringMatching(/^https:\/\/\w+\.execute-api\.test$/),
      table: production.inputs("Table").name,
      failures: expect.stringContaining("CompactorFailures"),
    });
  });
});

describe("the table", () => {
  it("the table has the shape of the local stack's table", () => {
    expect(production.inputs("Table")).toMatchObject({
      attributes: Object.entries(TABLE.keys).map(([name, type]) => ({ name, type })),
      hashKey: TABLE.hashKey,
      rangeKey: TABLE.rangeKey,
      billingMode: TABLE.billingMode,
      streamEnabled: true,
      streamViewType: TABLE.streamView,
      ttl: { attributeName: TABLE.timeToLiveAttribute, enabled: true },
      globalSecondaryIndexes: [],
      localSecondaryIndexes: [],
    });
  });

  it("the table can be restored to any second of the last 35 days", () => {
    expect(production.inputs("Table").pointInTimeRecovery).toEqual({ enabled: true });
  });
});

describe("the API", () => {
  it("the API sends every request to the router, as payload 2.0", () => {
    const router = expect.stringMatching(
      /^arn:aws:lambda:.*:function:eventledger-.*-RouterFunction/,
    );
    expect(production.inputs("Route").routeKey).toBe("$default");
    expect(production.inputs("Integration")).toMatchObject({
      integrationType: "AWS_PROXY",
      integrationUri: router,
      payloadFormatVersion: "2.0",
    });
    expect(production.inputs("Permission")).toMatchObject({
      action: "lambda:InvokeFunction",
      function: router,
      principal: "apigateway.amazonaws.com",
      sourceArn: expect.stringMatching(/^arn:aws:execute-api:/),
    });
  });

  it("the API is throttled, writes an access log, and leaves CORS to the router", () => {
    const stage = production.inputs("Stage");
    expect(stage.defaultRouteSettings).toEqual({
      throttlingRateLimit: 300,
      throttlingBurstLimit: 600,
    });
    expect(stage.accessLogSettings).toMatchObject({
      destinationArn: expect.stringContaining("log-group:/aws/vendedlogs/apis/"),
    });
    expect(production.inputs("Api").corsConfiguration).toEqual({});
  });

  it("the API waits longer for the router than the router may take", () => {
    const httpApiTimeoutSeconds = 30;
    expect(production.inputs("Function", "Router").timeout).toBeLessThan(httpApiTimeoutSeconds);
  });
});

describe("every function", () => {
  it("every function runs on Node.js 24 on arm64 and knows its table", () => {
    const functions = production.all("Function");
    expect(functions).toHaveLength(3);
    for (const { inputs } of functions) {
      expect(inputs).toMatchObject({
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        loggingConfig: { logFormat: "JSON", systemLogLevel: "WARN" },
        environment: { variables: { TABLE_NAME: production.inputs("Table").name } },
      });
    }
  });

  it("no poll waits at a cost, unless the operator allows it", () => {
    expect(production.inputs("Function", "Router").environment).toMatchObject({
      variables: { EVENTLEDGER_WAIT_SECONDS_MAX: "off" },
    });
  });

  it("every function has a handler of packages/functions", () => {
    const handlers = Object.values(production.bundles).map((bundle) => bundle.handler);
    expect(handlers.sort()).toEqual([
      "packages/functions/src/api.handler",
      "packages/functions/src/compactor.handler",
      "packages/functions/src/sweeper.handler",
    ]);
  });

  it("every log is kept for 30 days, including the access log", () => {
    const days = production.all("LogGroup").map((one) => one.inputs.retentionInDays);
    expect(days).toEqual([30, 30, 30, 30]);
  });
});

describe("the secrets", () => {
  it("the secrets are encrypted in the router's package and in no other", () => {
    const links = Object.entries(production.bundles).map(([name, one]) => [name, one.links]);
    expect(Object.fromEntries(links)).toEqual({
      Router: {
        AdminKey: expect.objectContaining({ value: SECRETS.AdminKey }),
        CursorKey: expect.objectContaining({ value: SECRETS.CursorKey }),
      },
      LedgerSubscriberCompactorFunction: {},
      SweeperHandler: {},
    });
  });

  it("no setting of any resource contains a secret", () => {
    const resources = production.resources.filter((one) => one.type.startsWith("aws:"));
    const settings = JSON.stringify(resources);
    for (const value of Object.values(SECRETS)) expect(settings).not.toContain(value);
  });
});

describe("the compactor", () => {
  const mapping = () => production.inputs("EventSourceMapping");

  it("only new record batches trigger the compactor", () => {
    const { filters } = mapping().filterCriteria as { filters: { pattern: string }[] };
    expect(filters.map((filter) => JSON.parse(filter.pattern))).toEqual([
      { eventName: ["INSERT"], dynamodb: { Keys: { sk: { S: [{ prefix: "SEQ#" }] } } } },
    ]);
    expect(mapping().eventSourceArn).toMatch(
      /:table\/eventledger-production-LedgerTable.*\/stream\//,
    );
    expect(mapping().functionName).toMatch(/Compactor/);
  });

  it("the compactor gathers records, reports single failures, and gives up after an hour into a queue", () => {
    expect(mapping()).toMatchObject({
      startingPosition: "TRIM_HORIZON",
      batchSize: 1_000,
      maximumBatchingWindowInSeconds: ASSUMED.compactorWindowSeconds,
      functionResponseTypes: ["ReportBatchItemFailures"],
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 5,
      maximumRecordAgeInSeconds: 3_600,
      destinationConfig: {
        onFailure: { destinationArn: expect.stringMatching(/^arn:aws:sqs:.*CompactorFailures/) },
      },
    });
    expect(production.inputs("Queue").messageRetentionSeconds).toBe(14 * 86_400);
  });
});

describe("the sweeper", () => {
  it("the sweeper runs every hour", () => {
    expect(production.inputs("Schedule")).toMatchObject({
      scheduleExpression: "rate(1 hour)",
      state: "ENABLED",
      target: {
        arn: expect.stringContaining("Sweeper"),
        roleArn: expect.stringContaining("Sweeper"),
      },
    });
  });
});
