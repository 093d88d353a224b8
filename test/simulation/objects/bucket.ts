import { createHash } from "node:crypto";
import type { S3Api } from "../../../packages/core/src/objects/connect-s3.ts";
import { FakeRefusal } from "../dynamodb/aws-error.ts";
import { s3Error } from "./faults.ts";

export type FakeObject = {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly lockedUntilMs: number;
  readonly version: string;
};

/** The state of a bucket, and what its requests do. Every request happens at one moment. */
export type Bucket = {
  readonly objects: Map<string, FakeObject>;
  readonly locks: boolean;
  readonly nowMs: () => number;
};

type Input<Name extends keyof S3Api> = Parameters<S3Api[Name]>[0];
type Output<Name extends keyof S3Api> = Awaited<ReturnType<S3Api[Name]>>;

export const put = (bucket: Bucket, input: Input<"put">): Output<"put"> => {
  const { Key = "", Body, IfNoneMatch, ChecksumSHA256, ObjectLockMode } = input;
  if (!(Body instanceof Uint8Array)) throw new FakeRefusal("a body that is no Uint8Array");
  if (IfNoneMatch !== "*") throw new FakeRefusal("a put without If-None-Match: *");
  if (ChecksumSHA256 !== sha256Of(Body)) throw s3Error("BadDigest", 400);
  if (ObjectLockMode !== undefined && !bucket.locks) throw s3Error("InvalidRequest", 400);
  if (bucket.objects.has(Key)) throw s3Error("PreconditionFailed", 412);
  bucket.objects.set(Key, {
    body: Uint8Array.from(Body),
    contentType: input.ContentType,
    contentEncoding: input.ContentEncoding,
    lockedUntilMs: input.ObjectLockRetainUntilDate?.getTime() ?? 0,
    version: `v${bucket.objects.size}-${bucket.nowMs()}`,
  });
  return {};
};

export const head = (bucket: Bucket, { Key = "", ChecksumMode }: Input<"head">): Output<"head"> => {
  const { body, version } = found(bucket, Key, "NotFound");
  return {
    ContentLength: body.length,
    ...(ChecksumMode === "ENABLED" && { ChecksumSHA256: sha256Of(body) }),
    ...(bucket.locks && { VersionId: version }),
  };
};

export const get = (bucket: Bucket, { Key = "", Range = "" }: Input<"get">): Output<"get"> => {
  const { body } = found(bucket, Key, "NoSuchKey");
  const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(Range) ?? [];
  if (from === undefined || last === undefined) throw new FakeRefusal(`the range "${Range}"`);
  if (Number(from) >= body.length) throw s3Error("InvalidRange", 416);
  return body.slice(Number(from), Number(last) + 1);
};

export const list = (bucket: Bucket, input: Input<"list">): Output<"list"> => {
  const { Prefix = "", StartAfter, MaxKeys = 1_000 } = input;
  const after = StartAfter ?? "";
  const names = [...bucket.objects.keys()]
    .filter((name) => name.startsWith(Prefix) && inBytes(name, after) > 0)
    .toSorted(inBytes);
  return {
    Contents: names.slice(0, MaxKeys).map((Key) => ({ Key })),
    IsTruncated: names.length > MaxKeys,
  };
};

export const remove = (bucket: Bucket, { Delete }: Input<"remove">): Output<"remove"> => {
  const Errors = (Delete?.Objects ?? []).flatMap(({ Key = "", VersionId }) => {
    if (bucket.locks && VersionId === undefined) throw new FakeRefusal("delete markers");
    const object = bucket.objects.get(Key);
    if (object === undefined || (bucket.locks && object.version !== VersionId)) return [];
    if (object.lockedUntilMs > bucket.nowMs()) return [{ Key, Code: "AccessDenied" }];
    bucket.objects.delete(Key);
    return [];
  });
  return { Errors };
};

const found = ({ objects }: Bucket, name: string, error: string): FakeObject => {
  const object = objects.get(name);
  if (object === undefined) throw s3Error(error, 404);
  return object;
};

const sha256Of = (body: Uint8Array): string => createHash("sha256").update(body).digest("base64");
const inBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
