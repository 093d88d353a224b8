import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OBJECT_OPERATIONS } from "../../infra/operations.ts";
import { evaluate } from "./evaluate.ts";
import type { Inventory } from "./inventory.ts";

const bundlesDir = mkdtempSync(path.join(os.tmpdir(), "bundles-"));
let locked: Inventory;
let production: Inventory;
beforeAll(async () => {
  const env = {
    ...{ ARCHIVE: "locked", ARCHIVE_STORAGE_CLASS: "GLACIER_IR" },
    AUDIT_ARCHIVE_DAYS: "400",
  };
  locked = await evaluate({ stage: "alice", env, bundlesDir });
  production = await evaluate({ stage: "production", env: { ARCHIVE: "on" } });
});
afterAll(() => rmSync(bundlesDir, { recursive: true }));

const bucketOf = (stage: Inventory) => String(stage.inputs("Bucket").bucket);
const variablesOf = (stage: Inventory, name: string) =>
  (stage.inputs("Function", name).environment as { variables: object }).variables;
const rulesOf = (stage: Inventory) =>
  stage.inputs("BucketLifecycleConfiguration").rules as { id: string }[];

describe("the bucket of the archive", () => {
  it("the bucket is private, encrypted, and refuses requests without TLS", () => {
    expect(production.inputs("BucketPublicAccessBlock")).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(production.inputs("BucketServerSideEncryptionConfiguration").rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
    ]);
    const { Statement } = JSON.parse(String(production.inputs("BucketPolicy").policy));
    expect(Statement).toEqual([
      {
        Effect: "Deny",
        Principal: { "*": ["*"] },
        Action: ["s3:*"],
        Resource: [
          `arn:aws:s3:::${bucketOf(production)}`,
          `arn:aws:s3:::${bucketOf(production)}/*`,
        ],
        Condition: { Bool: { "aws:SecureTransport": ["false"] } },
      },
    ]);
    for (const kind of ["BucketAclV2", "BucketWebsiteConfiguration", "BucketCorsConfiguration"]) {
      expect(production.all(kind)).toEqual([]);
    }
  });

  it("production keeps its bucket and what is in it", () => {
    expect(production.one("Bucket")).toMatchObject({
      protect: true,
      retainOnDelete: true,
      inputs: { forceDestroy: false, objectLockEnabled: false },
    });
    expect(locked.inputs("Bucket").forceDestroy).toBe(true);
    expect(production.outputs.archive).toBe(bucketOf(production));
  });

  it("interrupted uploads are removed after a day", () => {
    expect(rulesOf(production)).toEqual([
      {
        id: "unfinished-uploads",
        status: "Enabled",
        filter: {},
        abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
      },
    ]);
  });

  it("objects move to the storage class of the stage after 30 days", () => {
    expect(rulesOf(locked).find(({ id }) => id === "cheaper-storage")).toMatchObject({
      transitions: [{ days: 30, storageClass: "GLACIER_IR" }],
    });
  });

  it("a bucket with object lock is created with it", () => {
    expect(locked.inputs("Bucket").objectLockEnabled).toBe(true);
    expect(rulesOf(locked).map(({ id }) => id)).toEqual([
      "unfinished-uploads",
      "cheaper-storage",
      "hidden-versions",
    ]);
  });

  it("a stage without an archive has no bucket", async () => {
    const stage = await evaluate({ stage: "production" });
    expect(stage.resources.filter(({ type }) => /s3\/bucket[^O]/i.test(type))).toEqual([]);
    expect(variablesOf(stage, "Router")).not.toHaveProperty("ARCHIVE_BUCKET");
    expect(JSON.stringify(stage.allows("RouterRole"))).not.toContain("s3:");
    expect(stage.outputs).not.toHaveProperty("archive");
    expect(stage.all("MetricAlarm").map(({ name }) => name)).not.toContain("ArchiveLag");
  });

  it("an alarm fires when the archive lags by 6 hours, in stages with an archive only", () => {
    const alarms = (of: Inventory) =>
      of.all("MetricAlarm").filter(({ name }) => name === "ArchiveLag");
    expect(alarms(production)).toMatchObject([
      {
        inputs: {
          namespace: "EventLedger",
          metricName: "ArchiveLagSeconds",
          dimensions: { TableName: production.inputs("Table").name },
          statistic: "Maximum",
          comparisonOperator: "GreaterThanOrEqualToThreshold",
          threshold: 21_600,
          period: 3_600,
          evaluationPeriods: 1,
          treatMissingData: "notBreaching",
        },
      },
    ]);
    expect(alarms(locked)).toHaveLength(1);
  });

  it("the settings have no other values", async () => {
    const misspelt = evaluate({ stage: "alice", env: { ARCHIVE: "yes" } });
    await expect(misspelt).rejects.toThrow('it can be "off" (the default), "on" or "locked"');
    const unknown = evaluate({ stage: "alice", env: { ARCHIVE_STORAGE_CLASS: "GLACIER" } });
    await expect(unknown).rejects.toThrow("it can be STANDARD, STANDARD_IA or GLACIER_IR");
  });
});

describe("the functions with an archive", () => {
  it("the router knows how long audit streams are kept in the archive, if the stage says so", async () => {
    const name = "EVENTLEDGER_AUDIT_ARCHIVE_DAYS";
    expect(variablesOf(locked, "Router")).toMatchObject({ [name]: "400" });
    expect(variablesOf(production, "Router")).not.toHaveProperty(name);
    for (const days of ["0", "year"]) {
      const wrong = evaluate({ stage: "erin", env: { ARCHIVE: "on", AUDIT_ARCHIVE_DAYS: days } });
      await expect(wrong).rejects.toThrow("it can be whole days from 1 to 36500");
    }
    const alone = evaluate({ stage: "erin", env: { AUDIT_ARCHIVE_DAYS: "400" } });
    await expect(alone).rejects.toThrow("AUDIT_ARCHIVE_DAYS needs ARCHIVE=on or ARCHIVE=locked");
  });

  it("the router and the sweeper know the bucket, and the compactor does not", () => {
    for (const name of ["Router", "SweeperHandler"]) {
      expect(variablesOf(locked, name)).toMatchObject({
        ARCHIVE_BUCKET: bucketOf(locked),
        ARCHIVE_OBJECT_LOCK: "on",
      });
      expect(variablesOf(production, name)).toMatchObject({ ARCHIVE_OBJECT_LOCK: "off" });
    }
    const compactor = variablesOf(locked, "LedgerSubscriberCompactor");
    expect(compactor).not.toHaveProperty("ARCHIVE_BUCKET");
  });

  it("each role allows its own operations on the objects, and nothing that bypasses a lock", () => {
    const onObjects = (stage: Inventory, role: string) =>
      stage
        .allows(role)
        .filter(({ Resource }) => JSON.stringify(Resource).includes(`${bucketOf(stage)}/*`))
        .flatMap(({ Action }) => Action);
    const named = (of: keyof typeof OBJECT_OPERATIONS) =>
      OBJECT_OPERATIONS[of].map((operation) => `s3:${operation}`);
    expect(onObjects(production, "RouterRole")).toEqual(named("router"));
    expect(onObjects(production, "SweeperHandlerRole")).toEqual(named("sweeper"));
    expect(onObjects(production, "LedgerSubscriberCompactorFunctionRole")).toEqual([]);
    expect(onObjects(locked, "RouterRole")).toEqual([
      "s3:GetObject",
      "s3:PutObject",
      "s3:PutObjectRetention",
    ]);
    expect(onObjects(locked, "SweeperHandlerRole")).toEqual([
      "s3:DeleteObjectVersion",
      "s3:GetObject",
      "s3:PutObject",
      "s3:PutObjectRetention",
    ]);
    const list = { Action: ["s3:ListBucket"], Resource: [`arn:aws:s3:::${bucketOf(locked)}`] };
    expect(locked.allows("RouterRole")).toContainEqual({ Effect: "Allow", ...list });
  });

  it("the S3 client is a file of its own, which no function loads when it starts", () => {
    for (const [name, { packages }] of Object.entries(locked.bundles)) {
      const ofS3 = packages.filter((one) => /s3|checksums|signature-v4-multi/.test(one));
      expect(ofS3, name).toEqual([]);
    }
    for (const name of ["Router", "SweeperHandler"]) {
      const { dir = "" } = locked.bundles[name] ?? {};
      const code = readFileSync(path.join(dir, "bundle.cjs"), "utf8");
      expect(code).toContain('import("@aws-sdk/client-s3")');
      expect(loaded(dir)).toEqual([
        "DeleteObjectsCommand",
        "GetObjectCommand",
        "HeadObjectCommand",
        "ListObjectsV2Command",
        "PutObjectCommand",
        "S3Client",
        "getSignedUrl",
      ]);
    }
  });
});

/** Returns what a module in the folder of a package finds in the packages of the S3 client. */
function loaded(dir: string): string[] {
  const script = `
    const { S3Client, GetObjectCommand, ...others } = await import("@aws-sdk/client-s3");
    const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const client = new S3Client({ region: "eu-west-1", credentials });
    const asked = new GetObjectCommand({ Bucket: "b", Key: "k" });
    if (!(await getSignedUrl(client, asked, { expiresIn: 60 })).includes("X-Amz-Expires=60&")) throw 1;
    const names = Object.keys({ S3Client, GetObjectCommand, getSignedUrl, ...others });
    console.log(JSON.stringify(names.filter((name) => /^\\w+$/.test(name)).toSorted()));`;
  const child = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: dir,
    encoding: "utf8",
    env: {},
  });
  const names: string[] = JSON.parse(child.stdout || JSON.stringify([child.stderr]));
  return names.filter((name) => name !== "default" && !name.startsWith("module"));
}
