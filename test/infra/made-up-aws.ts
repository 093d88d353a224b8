import crypto from "node:crypto";

/**
 * Returns the outputs that AWS would add to a resource, as far as another resource of this program
 * reads them. Any other resource gets only an ARN. A new kind of resource whose outputs matter
 * needs a line in `KINDS`.
 */
export function madeUpOutputs(type: string, name: string, inputs: Inputs): Inputs {
  const [module = "", kind = ""] = type.replace(/^aws:/, "").split(":");
  const physical = String(inputs.name ?? name);
  const namespace = module.split("/")[0] ?? module;
  if (!type.startsWith("aws:")) return OTHERS[type]?.(inputs) ?? {};
  return { arn: arnOf(namespace, physical), ...KINDS[kind]?.(physical, inputs) };
}

/** Returns the answer of a data source: the account, the region, and policy documents as JSON. */
export function answerCall(
  token: string,
  inputs: Inputs,
  { concurrency }: { concurrency: number },
): Inputs {
  switch (token.split(":").at(-1)) {
    case "getRegion":
      return { id: REGION, name: REGION, region: REGION };
    case "getPartition":
      return { id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" };
    case "getCallerIdentity":
      return { id: ACCOUNT, accountId: ACCOUNT, arn: arnOf("iam", "user/test"), userId: "test" };
    case "getPolicyDocument":
      return policyDocument(inputs.statements);
    case "getServiceQuota":
      return { ...inputs, id: "0", value: quotaOf(inputs, concurrency) };
    default:
      return { ...inputs, id: token };
  }
}

type Inputs = Record<string, unknown>;

const REGION = "eu-west-1";
const ACCOUNT = "123456789012";

const arnOf = (namespace: string, resource: string) =>
  `arn:aws:${namespace}:${REGION}:${ACCOUNT}:${resource}`;

/** Only the quota of Lambda's concurrent executions is known here. */
function quotaOf({ serviceCode, quotaCode }: Inputs, concurrency: number): number {
  if (serviceCode === "lambda" && quotaCode === "L-B99A9384") return concurrency;
  throw new Error(`There is no made-up quota ${serviceCode} ${quotaCode}`);
}

const shortHash = (text: string) => crypto.hash("sha1", text).slice(0, 10);

const KINDS: Record<string, (name: string, inputs: Inputs) => Inputs> = {
  Table: (name, { streamEnabled, existing }) => {
    const table = String(existing ?? name);
    const arn = arnOf("dynamodb", `table/${table}`);
    const stream = { streamEnabled: true, streamArn: `${arn}/stream/1` };
    // A table that already exists has the properties that the runbook gives it.
    return { id: table, name: table, arn, ...(streamEnabled || existing ? stream : {}) };
  },
  Function: (name) => {
    const arn = arnOf("lambda", `function:${name}`);
    return { id: name, name, arn, version: "$LATEST", qualifiedArn: `${arn}:$LATEST` };
  },
  FunctionUrl: (name) => ({ functionUrl: `https://${shortHash(name)}.lambda-url.test/` }),
  Role: (name) => ({ id: name, name, arn: arnOf("iam", `role/${name}`) }),
  Queue: (name) => ({ id: `https://sqs.test/${name}`, url: `https://sqs.test/${name}`, name }),
  Bucket: (_, { bucket }) => ({ id: bucket, bucket, arn: `arn:aws:s3:::${bucket}` }),
  Topic: (name) => ({ id: arnOf("sns", name), name }),
  LogGroup: (name) => ({ id: name, name, arn: arnOf("logs", `log-group:${name}`) }),
  Api: (name) => {
    const id = shortHash(name);
    const apiEndpoint = `https://${id}.execute-api.test`;
    return { id, apiEndpoint, executionArn: arnOf("execute-api", id) };
  },
  DomainName: () => ({
    domainNameConfiguration: { targetDomainName: "regional.test", hostedZoneId: "ZREGIONAL" },
  }),
  Certificate: () => ({
    domainValidationOptions: [
      {
        resourceRecordType: "CNAME",
        resourceRecordName: "_proof.test",
        resourceRecordValue: "_value.test",
      },
    ],
  }),
};

const OTHERS: Record<string, (inputs: Inputs) => Inputs> = {
  "random:index/randomBytes:RandomBytes": ({ length }) => ({
    base64: Buffer.alloc(Number(length), 1).toString("base64"),
  }),
};

interface Statement {
  effect?: string;
  actions?: string[];
  resources?: string[];
  principals?: { type: string; identifiers: string[] }[];
  conditions?: { test: string; variable: string; values: string[] }[];
}

const conditionOf = (conditions: Statement["conditions"] = []) =>
  conditions.length === 0
    ? {}
    : {
        Condition: Object.fromEntries(
          conditions.map(({ test, variable, values }) => [test, { [variable]: values }]),
        ),
      };

function policyDocument(value: unknown): Inputs {
  const statements = (Array.isArray(value) ? value : []) as Statement[];
  const json = JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(
      ({ effect = "Allow", actions, resources, principals, conditions }) => ({
        ...conditionOf(conditions),
        Effect: effect,
        Action: actions,
        Resource: resources,
        Principal: principals
          ? Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers]))
          : undefined,
      }),
    ),
  });
  // The data source leaves `statements` out when there are none, and SST checks that.
  return { id: "0", json, ...(statements.length > 0 ? { statements } : {}) };
}
