import type { ObjectOperation } from "./operations.ts";
import { bundleS3Client } from "./s3-client.ts";
import { isProduction, settings } from "./stage.ts";

/**
 * The bucket of the archive. It is `undefined` in a stage without one. Its objects are private and
 * encrypted, and only requests over TLS reach them. Nothing but the sweeper removes them.
 */
export const archive = settings.archive === "off" ? undefined : createBucket(settings.archive);

/** The additional environment and files of a function with access to the archive. */
export const archived = {
  environment: archive && {
    ARCHIVE_BUCKET: archive.name,
    ARCHIVE_OBJECT_LOCK: settings.archive === "locked" ? "on" : "off",
  },
  copyFiles: archive ? bundleS3Client() : [],
};

/** Returns the statements that allow exactly these operations on the bucket, and nothing else. */
export function archiveAccess(operations: readonly ObjectOperation[]) {
  if (archive === undefined) return [];
  const needed = settings.archive === "locked" ? operations.flatMap(withLock) : operations;
  return [
    // Without this, AWS answers 403 instead of 404 for an object that does not exist.
    { actions: ["s3:ListBucket"], resources: [archive.arn] },
    {
      actions: needed.map((operation) => `s3:${operation}`),
      resources: [$interpolate`${archive.arn}/*`],
    },
  ];
}

function createBucket(kind: "on" | "locked") {
  const isLocked = kind === "locked";
  const bucket = new sst.aws.Bucket(
    "Archive",
    {
      cors: false,
      transform: {
        bucket: { forceDestroy: !isProduction, objectLockEnabled: isLocked },
      },
    },
    { protect: isProduction },
  );
  new aws.s3.BucketServerSideEncryptionConfiguration("ArchiveEncryption", {
    bucket: bucket.name,
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
  });
  new aws.s3.BucketLifecycleConfiguration("ArchiveLifecycle", {
    bucket: bucket.name,
    rules: [
      {
        id: "unfinished-uploads",
        status: "Enabled",
        filter: {},
        abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
      },
      ...(settings.archiveStorageClass === "STANDARD" ? [] : [cheaper()]),
      // Nothing in the product hides an object under a delete marker. The console can.
      ...(isLocked ? [hidden()] : []),
    ],
  });
  return bucket;
}

/**
 * Objects smaller than 128 KiB keep their class. AWS accepts a transition to STANDARD_IA no earlier
 * than after 30 days, and exports are gone by then.
 */
function cheaper() {
  return {
    id: "cheaper-storage",
    status: "Enabled",
    filter: {},
    transitions: [{ days: 30, storageClass: settings.archiveStorageClass }],
  };
}

function hidden() {
  return {
    id: "hidden-versions",
    status: "Enabled",
    filter: {},
    expiration: { expiredObjectDeleteMarker: true },
    noncurrentVersionExpiration: { noncurrentDays: 1 },
  };
}

/** A bucket with object lock keeps versions. None of these may shorten or bypass a lock. */
function withLock(operation: ObjectOperation): string[] {
  if (operation === "PutObject") return [operation, "PutObjectRetention"];
  return operation === "DeleteObject" ? ["DeleteObjectVersion"] : [operation];
}
