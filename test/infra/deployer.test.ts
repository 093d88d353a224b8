import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Registered } from "./engine.ts";
import { evaluate } from "./evaluate.ts";
import type { Inventory, Statement } from "./inventory.ts";
import { root } from "./platform.ts";

const policy: { Statement: (Statement & { Sid: string })[] } = JSON.parse(
  readFileSync(path.join(root, "docs", "deployer-policy.json"), "utf8"),
);

let stages: Inventory[];
beforeAll(async () => {
  const email = { ALARM_EMAIL: "on-call@example.com" };
  stages = [
    await evaluate({ stage: "production", env: { ...email, API_DOMAIN: "log.example.com" } }),
    await evaluate({
      stage: "production",
      env: { INGRESS: "function-url", ARCHIVE: "locked", PUSH: "on" },
    }),
  ];
});

/**
 * The first action that creating a resource needs, and the ARN it applies to, by the kind of
 * resource.
 */
const CREATING: Record<string, (one: Registered, name: string) => [action: string, arn: string]> = {
  Table: (_, name) => ["dynamodb:CreateTable", `arn:aws:dynamodb:eu-west-1:1:table/${name}`],
  Function: (_, name) => ["lambda:CreateFunction", `arn:aws:lambda:eu-west-1:1:function:${name}`],
  FunctionUrl: ({ inputs }) => [
    "lambda:CreateFunctionUrlConfig",
    `arn:aws:lambda:eu-west-1:1:function:${inputs.functionName}`,
  ],
  Permission: ({ inputs }) => [
    "lambda:AddPermission",
    `arn:aws:lambda:eu-west-1:1:function:${String(inputs.function).split(":function:").at(-1)}`,
  ],
  EventSourceMapping: () => ["lambda:CreateEventSourceMapping", "*"],
  Role: (_, name) => ["iam:CreateRole", `arn:aws:iam::1:role/${name}`],
  Schedule: (_, name) => [
    "scheduler:CreateSchedule",
    `arn:aws:scheduler:eu-west-1:1:schedule/default/${name}`,
  ],
  Queue: (_, name) => ["sqs:CreateQueue", `arn:aws:sqs:eu-west-1:1:${name}`],
  LogGroup: (_, name) => ["logs:CreateLogGroup", `arn:aws:logs:eu-west-1:1:log-group:${name}`],
  MetricAlarm: (_, name) => [
    "cloudwatch:PutMetricAlarm",
    `arn:aws:cloudwatch:eu-west-1:1:alarm:${name}`,
  ],
  Topic: (_, name) => ["sns:CreateTopic", `arn:aws:sns:eu-west-1:1:${name}`],
  TopicSubscription: ({ inputs }) => ["sns:Subscribe", String(inputs.topic)],
  BucketObjectv2: ({ inputs }) => ["s3:PutObject", `arn:aws:s3:::${inputs.bucket}-abcd/key`],
  Bucket: ({ inputs }) => ["s3:CreateBucket", `arn:aws:s3:::${inputs.bucket}`],
  BucketPolicy: ({ inputs }) => ["s3:PutBucketPolicy", `arn:aws:s3:::${inputs.bucket}`],
  BucketPublicAccessBlock: ({ inputs }) => [
    "s3:PutBucketPublicAccessBlock",
    `arn:aws:s3:::${inputs.bucket}`,
  ],
  BucketServerSideEncryptionConfiguration: ({ inputs }) => [
    "s3:PutEncryptionConfiguration",
    `arn:aws:s3:::${inputs.bucket}`,
  ],
  BucketLifecycleConfiguration: ({ inputs }) => [
    "s3:PutLifecycleConfiguration",
    `arn:aws:s3:::${inputs.bucket}`,
  ],
  Api: () => ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/apis"],
  Stage: () => ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/apis/a/stages"],
  Route: () => ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/apis/a/routes"],
  Integration: () => ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/apis/a/integrations"],
  DomainName: () => ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/domainnames"],
  ApiMapping: () => ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/domainnames/a/apimappings"],
  Certificate: () => ["acm:RequestCertificate", "*"],
  CertificateValidation: () => ["acm:DescribeCertificate", "*"],
  Record: () => ["route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z"],
};

describe("the policy of a deployer, docs/deployer-policy.json", () => {
  it("the policy allows creating every resource of the program, under its name", () => {
    const refused = stages.flatMap(({ resources }) =>
      resources
        .filter(({ type }) => type.startsWith("aws:"))
        .flatMap((one) => {
          const kind = one.type.split(":").at(-1) ?? "";
          const asked = CREATING[kind]?.(one, String(one.inputs.name));
          if (asked === undefined) return [`CREATING does not list what creating ${kind} needs`];
          return allows(...asked) ? [] : [asked.join(" of ")];
        }),
    );
    expect(refused).toEqual([]);
  });

  it("the policy allows passing roles to functions, and reading the account's limit", () => {
    const roles = stages.flatMap((stage) => stage.all("Role").map(({ inputs }) => inputs.name));
    for (const name of roles) {
      expect(allows("iam:PassRole", `arn:aws:iam::1:role/${name}`)).toBe(true);
    }
    expect(allows("servicequotas:GetServiceQuota", "*")).toBe(true);
  });

  it("the policy allows nothing outside the program", () => {
    const foreign: [string, string][] = [
      ["dynamodb:DeleteTable", "arn:aws:dynamodb:eu-west-1:1:table/customers"],
      ["lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:1:function:billing"],
      ["iam:CreateRole", "arn:aws:iam::1:role/admin"],
      ["iam:PassRole", "arn:aws:iam::1:role/admin"],
      ["iam:CreateUser", "arn:aws:iam::1:user/eventledger-user"],
      ["s3:GetObject", "arn:aws:s3:::invoices/key"],
      ["ssm:GetParameter", "arn:aws:ssm:eu-west-1:1:parameter/database/password"],
      ["sqs:DeleteQueue", "arn:aws:sqs:eu-west-1:1:orders"],
    ];
    expect(foreign.filter((asked) => allows(...asked))).toEqual([]);
  });

  it("the policy has no statement that the program does not need", () => {
    const needed = stages.flatMap(({ resources }) =>
      resources.flatMap((one) => {
        const asked = CREATING[one.type.split(":").at(-1) ?? ""]?.(one, String(one.inputs.name));
        return asked === undefined ? [] : statementsFor(...asked).map(({ Sid }) => Sid);
      }),
    );
    // The statements for what SST itself needs, and for what accompanies a resource without being
    // one.
    const besides = ["SecretsOfSst", "BootstrapOfSst", "LogsByName"];
    const surplus = policy.Statement.filter(({ Sid }) => ![...needed, ...besides].includes(Sid));
    expect(surplus.map(({ Sid }) => Sid)).toEqual([]);
  });
});

const allows = (action: string, arn: string): boolean => statementsFor(action, arn).length > 0;

const statementsFor = (action: string, arn: string) =>
  policy.Statement.filter(
    ({ Effect, Action, Resource }) =>
      Effect === "Allow" &&
      [Action].flat().some((pattern) => covers(String(pattern), action)) &&
      [Resource].flat().some((pattern) => covers(String(pattern), arn)),
  );

/** Matches a pattern as IAM does: `*` matches any text, including slashes and colons. */
const covers = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.?+^$()[\]{}|\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(
    text,
  );
