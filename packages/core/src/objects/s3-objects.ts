import { createHash } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { again, backOff, retry } from "../kernel/retry.ts";
import type { DeleteRequest, S3Api } from "./connect-s3.ts";
import type { CreateOptions, ObjectHead, Objects } from "./objects.ts";
import { ObjectsLocked } from "./objects.ts";
import { objectsMisconfigured, objectsUnavailable, type S3Failure, s3Failure } from "./s3-error.ts";

export type S3ObjectsOptions = {
  readonly bucket: string;
  /** Whether the bucket has object lock. Its objects have versions, which are removed by id. */
  readonly locks: boolean;
  /** Called before the first request, and not at all by a process that makes none. */
  readonly connect: () => Promise<S3Api>;
  readonly clock: Clock;
  readonly random: Random;
};

/** The answer to a HEAD. Both are undefined when there is no such object. */
type Found = { readonly head: ObjectHead | undefined; readonly version: string | undefined };

const TRIES = 6;
const BACKOFF = { baseMs: 50, capMs: 2_000 };
/** The most that one DeleteObjects accepts. */
const REMOVED_TOGETHER = 1_000;

/**
 * Objects in an S3 bucket. This file decides what an answer of S3 means. After a 412 to a
 * conditional write, a HEAD tells what is stored. Every answer that is no verdict, such as 409, is
 * followed by another attempt.
 */
export function createS3Objects(options: S3ObjectsOptions): Objects {
  const { bucket: Bucket, locks, connect } = options;

  /**
   * Sends a request until it has a verdict. `decide` returns the result of a failure that is a
   * verdict, and undefined for any other failure.
   */
  const ask = <T>(
    send: (api: S3Api) => Promise<T>,
    decide: (failure: S3Failure) => Promise<T | undefined> | T | undefined = () => undefined,
  ): Promise<T> =>
    retry<T>({ tries: TRIES, pause: backOff(options, BACKOFF) }, async () => {
      try {
        return await send(await connect());
      } catch (error) {
        const failure = s3Failure(error);
        const decided = await decide(failure);
        if (decided !== undefined) return decided;
        if (failure === "set-up") throw objectsMisconfigured(error);
        if (failure === "defect") throw error;
        return again(objectsUnavailable(error));
      }
    });

  const headOf = (name: string) =>
    ask<Found>(
      async (api) => {
        const found = await api.head({ Bucket, Key: name, ChecksumMode: "ENABLED" });
        const { ContentLength: bytes = 0, ChecksumSHA256, VersionId: version } = found;
        return { head: { bytes, sha256: hexOf(ChecksumSHA256) }, version };
      },
      (failure) => (failure === "missing" ? { head: undefined, version: undefined } : undefined),
    );

  const removeSome = async (names: readonly string[]): Promise<string[]> => {
    const targets: DeleteRequest[] = [];
    for (const name of names) {
      if (!locks) targets.push({ Key: name });
      else {
        // Without a version, the deletion would only hide the object.
        const { head, version } = await headOf(name);
        if (head !== undefined) targets.push({ Key: name, VersionId: version });
      }
    }
    if (targets.length === 0) return [];
    return ask(async (api) => {
      const { Errors = [] } = await api.remove({
        Bucket,
        Delete: { Objects: targets, Quiet: true },
      });
      const kept = Errors.filter(({ Code }) => locks && Code === "AccessDenied");
      const failed = Errors.find((each) => !kept.includes(each));
      if (failed !== undefined) throw partError(failed.Code);
      return kept.map(({ Key = "" }) => Key);
    });
  };

  return {
    create: (name, body, given) =>
      ask<"created" | "exists">(
        async (api) => {
          await api.put({
            Bucket,
            Key: name,
            Body: body,
            IfNoneMatch: "*",
            ChecksumSHA256: createHash("sha256").update(body).digest("base64"),
            ContentType: given.contentType,
            ContentEncoding: given.contentEncoding,
            ...lockOf(given),
          });
          return "created";
        },
        // If an object is there, it may be from an earlier attempt whose answer was lost. If none
        // is there, the write is tried again.
        async (failure) =>
          failure === "taken" && (await headOf(name)).head !== undefined ? "exists" : undefined,
      ),
    head: async (name) => (await headOf(name)).head,
    read: async (name, from, to) => {
      if (from >= to) return (await headOf(name)).head && new Uint8Array();
      const { bytes } = await ask<{ bytes: Uint8Array | undefined }>(
        async (api) => ({
          bytes: await api.get({ Bucket, Key: name, Range: `bytes=${from}-${to - 1}` }),
        }),
        (failure) => {
          if (failure === "past-end") return { bytes: new Uint8Array() };
          return failure === "missing" ? { bytes: undefined } : undefined;
        },
      );
      return bytes;
    },
    list: (prefix, after, limit) =>
      ask(async (api) => {
        const { Contents = [], IsTruncated = false } = await api.list({
          Bucket,
          Prefix: prefix,
          StartAfter: after,
          MaxKeys: limit,
        });
        return { names: Contents.map(({ Key = "" }) => Key), more: IsTruncated };
      }),
    remove: async (names) => {
      const kept: string[] = [];
      for (let from = 0; from < names.length; from += REMOVED_TOGETHER) {
        kept.push(...(await removeSome(names.slice(from, from + REMOVED_TOGETHER))));
      }
      if (kept.length > 0) throw new ObjectsLocked(kept);
    },
    signedUrl: (name, seconds) => ask((api) => api.sign({ Bucket, Key: name }, seconds)),
  };
}

const lockOf = ({ lockedUntil, lock = "governance" }: CreateOptions) =>
  lockedUntil === undefined
    ? {}
    : {
        ObjectLockMode: lock === "compliance" ? ("COMPLIANCE" as const) : ("GOVERNANCE" as const),
        ObjectLockRetainUntilDate: lockedUntil,
      };

const hexOf = (base64: string | undefined): string | undefined =>
  base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("hex");

/** DeleteObjects reports the failure of one object inside an answer with status 200. */
const partError = (code = ""): Error => {
  const error = new Error(`The bucket did not remove an object: ${code}`);
  error.name = code;
  return error;
};
