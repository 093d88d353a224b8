import {
  type Clock,
  connectS3,
  createS3Objects,
  type Objects,
  type PrepareS3,
  systemRandom,
} from "@eventledger/core";

/** The bucket of the archive. */
export type ArchiveConfig = {
  readonly bucket: string;
  /** Whether the bucket has object lock, so that streams can have an `archiveLock`. */
  readonly locks: boolean;
  /** The endpoint of an S3-compatible server. If absent, AWS. */
  readonly endpoint?: string | undefined;
  /** If absent, those of the environment. */
  readonly credentials?: Credentials | undefined;
  /** Called with the S3 client once it is loaded. */
  readonly prepare?: PrepareS3 | undefined;
};

type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** Returns the objects of a bucket. The S3 client is loaded for the first request. */
export function openArchive(
  { bucket, locks, ...place }: ArchiveConfig,
  { region, clock }: { region: string; clock: Clock },
): { readonly objects: Objects; close(): void } {
  const { connect, close } = connectS3({ region, ...place });
  return {
    objects: createS3Objects({ bucket, locks, connect, clock, random: systemRandom }),
    close,
  };
}

/** Reads the bucket from the environment of a function. Without ARCHIVE_BUCKET there is none. */
export function readArchive(env: NodeJS.ProcessEnv): ArchiveConfig | undefined {
  const { ARCHIVE_BUCKET: bucket, ARCHIVE_OBJECT_LOCK: lock, S3_ENDPOINT: endpoint } = env;
  if (!bucket) return undefined;
  return { bucket, locks: lock === "on", ...(endpoint ? { endpoint } : {}) };
}
