import { beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../infra/operations.ts";
import { evaluate } from "./evaluate.ts";
import type { Inventory } from "./inventory.ts";

const ROUTER = "RouterRole";
const COMPACTOR = "LedgerSubscriberCompactorFunctionRole";
const SWEEPER = "SweeperHandlerRole";
const SCHEDULER = "SweeperRole";

let deployed: Inventory;
let live: Inventory;
beforeAll(async () => {
  deployed = await evaluate({ stage: "production" });
  live = await evaluate({ stage: "alice", dev: true });
});

const table = () =>
  `arn:aws:dynamodb:eu-west-1:123456789012:table/${deployed.inputs("Table").name}`;
const allow = (actions: string[], resource: unknown) => ({
  Effect: "Allow",
  Action: actions,
  Resource: [resource],
});

const operations = (of: keyof typeof OPERATIONS) =>
  OPERATIONS[of].map((operation) => `dynamodb:${operation}`);

describe("what each role allows", () => {
  it("the router may read and write items of the table, and nothing else", () => {
    expect(deployed.allows(ROUTER)).toEqual([allow(operations("router"), table())]);
  });

  it("the compactor may read the stream, maintain the table, and report what it gave up on", () => {
    const stream = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
    expect(deployed.allows(COMPACTOR)).toEqual([
      allow(
        stream.map((operation) => `dynamodb:${operation}`),
        `${table()}/stream/1`,
      ),
      allow(operations("compactor"), table()),
      allow(["sqs:SendMessage"], expect.stringMatching(/^arn:aws:sqs:.*-CompactorFailuresQueue-/)),
    ]);
  });

  it("the sweeper may maintain the table, and nothing else", () => {
    expect(deployed.allows(SWEEPER)).toEqual([allow(operations("sweeper"), table())]);
  });

  it("the schedule may start the sweeper, and nothing else", () => {
    expect(deployed.allows(SCHEDULER)).toEqual([
      allow(
        ["lambda:InvokeFunction"],
        expect.stringMatching(/:function:.*-SweeperHandlerFunction-/),
      ),
    ]);
  });

  it("a function may also write its log, and nothing else", () => {
    const logging = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    const managed = deployed
      .all("Role")
      .map(({ name, inputs }) => [name, inputs.managedPolicyArns ?? []]);
    expect(Object.fromEntries(managed)).toEqual({
      [ROUTER]: [logging],
      [COMPACTOR]: [logging],
      [SWEEPER]: [logging],
      [SCHEDULER]: [],
    });
    for (const kind of ["Policy", "RolePolicy", "RolePolicyAttachment"]) {
      expect(deployed.all(kind)).toEqual([]);
    }
  });
});

describe("who may take each role", () => {
  const trusted = (inventory: Inventory, role: string) =>
    inventory.trusts(role).map(({ Effect, Principal }) => ({ Effect, Principal }));
  const only = (principal: string) => [{ Effect: "Allow", Principal: { Service: principal } }];

  it("only Lambda may assume the functions' roles, and only the scheduler that of the schedule", () => {
    for (const role of [ROUTER, COMPACTOR, SWEEPER]) {
      expect(trusted(deployed, role)).toEqual(only("lambda.amazonaws.com"));
    }
    expect(trusted(deployed, SCHEDULER)).toEqual(only("scheduler.amazonaws.com"));
  });

  it("the developer's account may assume the role of the live router, and no other", () => {
    expect(JSON.stringify(trusted(live, ROUTER))).toContain("arn:aws:iam::123456789012:root");
    for (const role of [COMPACTOR, SWEEPER]) {
      expect(trusted(live, role)).toEqual(only("lambda.amazonaws.com"));
    }
  });
});
