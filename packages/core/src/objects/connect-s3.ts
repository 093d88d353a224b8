import type * as S3 from "@aws-sdk/client-s3";

/** The requests that the archive makes. A simulation answers them itself. */
export type S3Api = {
  put(input: S3.PutObjectCommandInput): Promise<unknown>;
  head(
    input: S3.HeadObjectCommandInput,
  ): Promise<Pick<S3.HeadObjectCommandOutput, "ContentLength" | "ChecksumSHA256" | "VersionId">>;
  /** Returns the whole body. */
  get(input: S3.GetObjectCommandInput): Promise<Uint8Array>;
  list(
    input: S3.ListObjectsV2CommandInput,
  ): Promise<Pick<S3.ListObjectsV2CommandOutput, "Contents" | "IsTruncated">>;
  remove(
    input: S3.DeleteObjectsCommandInput,
  ): Promise<Pick<S3.DeleteObjectsCommandOutput, "Errors">>;
  /** Returns a URL for a GET of the object. */
  sign(input: { readonly Bucket: string; readonly Key: string }, seconds: number): Promise<string>;
};

export type DeleteRequest = S3.ObjectIdentifier;

type Place = {
  readonly region: string;
  /** The endpoint of an S3-compatible server. If absent, AWS. */
  readonly endpoint?: string | undefined;
  readonly credentials?: S3.S3ClientConfig["credentials"];
  /** Called with the client before its first request. */
  readonly prepare?: PrepareS3 | undefined;
};

export type PrepareS3 = (client: S3.S3Client) => void;

const CONNECT_TIMEOUT_MS = 2_000;
/** A segment of a few megabytes takes a fraction of this. */
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Returns a function that connects on its first call. The SDK of S3 is as large as the rest of the
 * product together, so it is loaded only then.
 */
export function connectS3(place: Place): { connect(): Promise<S3Api>; close(): void } {
  let connecting: Promise<{ api: S3Api; close: () => void }> | undefined;
  const connect = async () => {
    connecting ??= load(place);
    return connecting.catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
  };
  return {
    connect: async () => (await connect()).api,
    close: () => {
      connecting?.then(({ close }) => close()).catch(() => {});
    },
  };
}

async function load({ region, endpoint, credentials, prepare }: Place) {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    region,
    // The SDK does not retry. The caller retries, because it knows what a lost answer means.
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  prepare?.(client);
  const api: S3Api = {
    put: (input) => client.send(new sdk.PutObjectCommand(input)),
    head: (input) => client.send(new sdk.HeadObjectCommand(input)),
    get: async (input) => {
      const { Body, ContentLength } = await client.send(new sdk.GetObjectCommand(input));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      if (bytes.length !== ContentLength) throw new Error("The body of an object ended too early");
      return bytes;
    },
    list: (input) => client.send(new sdk.ListObjectsV2Command(input)),
    remove: (input) => client.send(new sdk.DeleteObjectsCommand(input)),
    sign: async (input, seconds) => {
      const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
      return getSignedUrl(client, new sdk.GetObjectCommand(input), { expiresIn: seconds });
    },
  };
  return { api, close: () => client.destroy() };
}
