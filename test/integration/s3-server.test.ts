import { spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, renameSync, rmSync, truncateSync } from "node:fs";
import { request } from "node:http";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../packages/core/src/index.ts";
import { connectS3 } from "../../packages/core/src/objects/connect-s3.ts";
import { createS3Objects } from "../../packages/core/src/objects/s3-objects.ts";
import { type S3Server, startS3Server } from "../../packages/local/src/s3/server.ts";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const Bucket = "archive";
const SERVER_FILE = path.resolve("packages/local/src/s3/server.ts");
const folder = mkdtempSync(path.join(os.tmpdir(), "s3-"));
let aheadMs = 0;
let server: S3Server;
let s3: S3Client;

const start = async () => {
  server = await startS3Server({
    bucket: Bucket,
    folder,
    credentials,
    nowMs: () => Date.now() + aheadMs,
  });
  s3 = clientOf(server.endpoint);
};
const clientOf = (endpoint: string, more: object = {}) =>
  new S3Client({
    endpoint,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    ...more,
  });
const stop = async () => {
  s3.destroy();
  await server.stop();
};
beforeAll(start);
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

const put = (Key: string, Body: Uint8Array | string = Key, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key: string, more: object = {}) =>
  s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
const bytesOf = async (Key: string, more: object = {}) =>
  Buffer.from((await (await get(Key, more)).Body?.transformToByteArray()) ?? []);
const textOf = async (Key: string, more: object = {}) => (await bytesOf(Key, more)).toString();
const head = (Key: string, more: object = {}) =>
  s3.send(new HeadObjectCommand({ Bucket, Key, ...more }));
const sha256 = (body: Uint8Array | string) => createHash("sha256").update(body).digest("base64");
const refused = (status: number, name: string) => ({
  name,
  $metadata: { httpStatusCode: status },
});
/** This is shorter than the allowed clock skew. */
const LOCK_MS = 600_000;
const soon = () => new Date(Math.ceil(Date.now() / 1_000) * 1_000 + LOCK_MS - 1_000);

describe("an object of the local S3 server", () => {
  it("comes back byte for byte", async () => {
    const body = randomBytes(3_000_000);
    const { ETag } = await put("exact", body);
    expect(ETag).toBe(`"${createHash("md5").update(body).digest("hex")}"`);
    expect((await bytesOf("exact")).equals(body)).toBe(true);
    await put("empty", "");
    expect(await textOf("empty")).toBe("");
  });

  it("comes back byte for byte when it is sent in chunks", async () => {
    const body = randomBytes(300_000);
    await put("chunks", body, { Body: Readable.from([body]), ContentLength: body.length });
    expect((await bytesOf("chunks")).equals(body)).toBe(true);
  });

  it("keeps its type, encoding and metadata", async () => {
    const packed = gzipSync("one\ntwo\n");
    const facts = {
      ContentType: "application/x-ndjson",
      ContentEncoding: "gzip",
      CacheControl: "max-age=60",
      ContentDisposition: "attachment",
      Metadata: { range: "1-2" },
    };
    await put("facts", packed, facts);
    expect(await head("facts")).toMatchObject({ ...facts, ContentLength: packed.length });
    const answer = await get("facts");
    expect(answer).toMatchObject(facts);
    const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
    expect(gunzipSync(body).toString()).toBe("one\ntwo\n");
  });

  it("has the size, time and hash of its writer", async () => {
    await put("hash", "content", { ChecksumSHA256: sha256("content") });
    const found = await head("hash", { ChecksumMode: "ENABLED" });
    expect(found).toMatchObject({ ContentLength: 7, ChecksumSHA256: sha256("content") });
    expect(Math.abs(Date.now() - (found.LastModified?.getTime() ?? 0))).toBeLessThan(60_000);
    expect((await head("hash")).ChecksumSHA256).toBeUndefined();
  });

  it("is replaced by a put without a condition", async () => {
    await put("replaced", "one");
    await put("replaced", "three");
    expect(await textOf("replaced")).toBe("three");
  });

  it("that is absent is a 404", async () => {
    await expect(get("nowhere")).rejects.toMatchObject(refused(404, "NoSuchKey"));
    await expect(head("nowhere")).rejects.toMatchObject(refused(404, "NotFound"));
  });

  it("can have any name", async () => {
    const names = [
      "a b+c%25é#?&=;:@$,!'()*~",
      "ünï/😀/\u{10ffff}",
      "a//b",
      "a/../b",
      "./dot",
      'tab\tquote"<xml>&amp;',
      "x".repeat(1_024),
    ];
    for (const name of names) await put(`odd/${name}`.slice(0, 1_024), name);
    for (const name of names) expect(await textOf(`odd/${name}`.slice(0, 1_024))).toBe(name);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "odd/" }));
    const listed = Contents.map(({ Key }) => Key);
    expect(listed.toSorted()).toEqual(
      names.map((name) => `odd/${name}`.slice(0, 1_024)).toSorted(),
    );
    await expect(put("x".repeat(1_025))).rejects.toMatchObject(refused(400, "KeyTooLongError"));
  });
});

describe("a range of an object", () => {
  beforeAll(() => put("range", "0123456789"));

  it("has the bytes from the first to the last", async () => {
    const answer = await get("range", { Range: "bytes=2-4" });
    expect(answer).toMatchObject({ ContentRange: "bytes 2-4/10", ContentLength: 3 });
    expect(await answer.Body?.transformToString()).toBe("234");
    expect(answer.$metadata.httpStatusCode).toBe(206);
  });

  it("ends at the end of the object", async () => {
    expect(await textOf("range", { Range: "bytes=7-100" })).toBe("789");
    expect(await textOf("range", { Range: "bytes=7-" })).toBe("789");
  });

  it("can be counted from the end", async () => {
    expect(await textOf("range", { Range: "bytes=-3" })).toBe("789");
    expect(await textOf("range", { Range: "bytes=-30" })).toBe("0123456789");
  });

  it("after the end is a 416", async () => {
    const asked = get("range", { Range: "bytes=10-12" });
    await expect(asked).rejects.toMatchObject(refused(416, "InvalidRange"));
  });
});

describe("a list", () => {
  it("has the names of a prefix in the order of their bytes", async () => {
    const names = ["list/10", "list/2", "list/Z", "list/a", "list/é", "list/\uffff", "list/😀"];
    for (const name of names.toReversed()) await put(name);
    const { Contents = [], KeyCount } = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "list/" }),
    );
    expect(Contents.map(({ Key }) => Key)).toEqual(names);
    expect(Contents[0]).toMatchObject({ Size: 7, LastModified: expect.any(Date) });
    expect(KeyCount).toBe(names.length);
  });

  it("comes in pages, each after the one before", async () => {
    for (let n = 0; n < 25; n++) await put(`page/${String(n).padStart(2, "0")}`);
    const found: number[] = [];
    const ask = { Bucket, Prefix: "page/", MaxKeys: 10 };
    let ContinuationToken: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await s3.send(
        new ListObjectsV2Command({ ...ask, ContinuationToken }),
      );
      found.push(page.Contents?.length ?? 0);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(found).toEqual([10, 10, 5]);
    const last = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "page/", StartAfter: "page/22" }),
    );
    expect(last.Contents?.map(({ Key }) => Key)).toEqual(["page/23", "page/24"]);
  });
});

describe("a conditional write", () => {
  it("with If-None-Match: * has one winner of ten", async () => {
    const bodies = Array.from({ length: 10 }, (_, n) => `racer ${n}`);
    const racers = bodies.map((body) => put("race", body, { IfNoneMatch: "*" }));
    const ended = await Promise.allSettled(racers);
    const winners = bodies.filter((_, n) => ended[n]?.status === "fulfilled");
    expect(winners).toEqual([await textOf("race")]);
    for (const one of ended) {
      if (one.status === "rejected") {
        expect(one.reason).toMatchObject(refused(412, "PreconditionFailed"));
      }
    }
  });

  it("with If-Match replaces only what its writer has seen", async () => {
    const { ETag } = await put("match", "one");
    await put("match", "two", { IfMatch: ETag });
    const late = put("match", "three", { IfMatch: ETag });
    await expect(late).rejects.toMatchObject(refused(412, "PreconditionFailed"));
    expect(await textOf("match")).toBe("two");
    await expect(put("match/none", "x", { IfMatch: ETag })).rejects.toMatchObject(
      refused(404, "NoSuchKey"),
    );
  });
});

describe("a damaged write", () => {
  it("is refused when a checksum differs, and writes nothing", async () => {
    const wrong = { ChecksumSHA256: sha256("other") };
    const asked = put("damaged", "content", wrong);
    await expect(asked).rejects.toMatchObject(refused(400, "BadDigest"));
    const crc = put("damaged", "content", { ChecksumCRC32: "AAAAAA==" });
    await expect(crc).rejects.toMatchObject(refused(400, "BadDigest"));
    await expect(head("damaged")).rejects.toMatchObject(refused(404, "NotFound"));
  });
});

describe("a removal", () => {
  it("removes one object, and may be repeated", async () => {
    await put("gone");
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "gone" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "gone" }));
    await expect(head("gone")).rejects.toMatchObject(refused(404, "NotFound"));
  });

  it("removes several objects at once", async () => {
    const keys = ["many/<1>", "many/2&3", "many/ü\n"];
    for (const key of keys) await put(key);
    const Objects = [...keys, "many/none"].map((Key) => ({ Key }));
    const { Deleted = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
    );
    expect(Deleted.map(({ Key }) => Key)).toEqual([...keys, "many/none"]);
    for (const key of keys) await expect(head(key)).rejects.toMatchObject(refused(404, "NotFound"));
  });

  it("of an object under a lock is refused until its date", async () => {
    const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: soon() };
    await put("locked", "content", lock);
    const { VersionId, ...found } = await head("locked");
    expect(found).toMatchObject(lock);
    const remove = () => s3.send(new DeleteObjectCommand({ Bucket, Key: "locked", VersionId }));
    await expect(remove()).rejects.toMatchObject(refused(403, "AccessDenied"));
    await expect(put("locked", "other")).rejects.toMatchObject(refused(403, "AccessDenied"));
    const Delete = { Objects: [{ Key: "locked", VersionId }, { Key: "unlocked" }] };
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
    expect(Errors).toMatchObject([{ Key: "locked", Code: "AccessDenied" }]);
    expect(await textOf("locked")).toBe("content");
    aheadMs = LOCK_MS;
    await remove();
    aheadMs = 0;
    await expect(head("locked")).rejects.toMatchObject(refused(404, "NotFound"));
  });

  it("of a lock in the past is refused when it is written", async () => {
    const past = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: new Date(0) };
    await expect(put("past", "x", past)).rejects.toMatchObject(refused(400, "InvalidArgument"));
  });
});

describe("who may ask", () => {
  const signed = (Key: string, more: object = {}) =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket, Key, ...more }), { expiresIn: 60 });
  beforeAll(() => put("signed/a b", "content", { ContentType: "application/x-ndjson" }));

  it("a signed URL reads its object without credentials until it expires", async () => {
    const url = await signed("signed/a b");
    const answer = await fetch(url);
    expect(await answer.text()).toBe("content");
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    aheadMs = 61_000;
    const late = await fetch(url);
    aheadMs = 0;
    expect(late.status).toBe(403);
    expect(await late.text()).toContain("Request has expired");
  });

  it("a signed URL cannot be changed to another object or a later time", async () => {
    const url = await signed("signed/a b");
    await put("signed/c", "secret");
    for (const changed of [
      url.replace("a%20b", "c"),
      url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
      `${url}0`,
    ]) {
      const answer = await fetch(changed);
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain("SignatureDoesNotMatch");
    }
    const removal = await fetch(url, { method: "DELETE" });
    expect(removal.status).toBe(403);
    const forever = await fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000000"));
    expect(forever.status).toBe(400);
  });

  it("a request without a signature, or with another secret, is refused", async () => {
    const answer = await fetch(`${server.endpoint}/${Bucket}/signed/c`);
    expect(answer.status).toBe(403);
    const stranger = { accessKeyId: "local", secretAccessKey: "other" };
    const other = clientOf(server.endpoint, { credentials: stranger });
    const asked = other.send(new GetObjectCommand({ Bucket, Key: "signed/c" }));
    await expect(asked).rejects.toMatchObject(refused(403, "SignatureDoesNotMatch"));
    const unknown = { accessKeyId: "unknown", secretAccessKey: "local" };
    const nameless = clientOf(server.endpoint, { credentials: unknown });
    const sent = nameless.send(new GetObjectCommand({ Bucket, Key: "signed/c" }));
    await expect(sent).rejects.toMatchObject(refused(403, "InvalidAccessKeyId"));
  });

  it("a body that waits for `100 Continue` is asked for, and not before its signature is right", async () => {
    const body = Buffer.from("content");
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "waits" }));
    const send = (to: string) =>
      new Promise<[isAsked: boolean, status: number | undefined]>((resolve, reject) => {
        let isAsked = false;
        const asked = request(to, { method: "PUT", headers: { expect: "100-continue" } });
        asked
          .on("continue", () => {
            isAsked = true;
            asked.end(body);
          })
          .on("response", ({ statusCode }) => resolve([isAsked, statusCode]))
          .on("error", reject)
          .flushHeaders();
      });
    expect(await send(`${url}0`)).toEqual([false, 403]);
    expect(await send(url)).toEqual([true, 200]);
    expect(await textOf("waits")).toBe("content");
  });

  it("a host name that is no loopback address is refused", async () => {
    const { port } = new URL(server.endpoint);
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ port, path: "/", headers: { host: "evil.example" } });
      asked
        .on("response", ({ statusCode }) => resolve(statusCode))
        .on("error", reject)
        .end();
    });
    expect(answer).toBe(403);
  });

  it("another bucket is a 404, and an operation that is not there a 501", async () => {
    const asked = s3.send(new GetObjectCommand({ Bucket: "other", Key: "a" }));
    await expect(asked).rejects.toMatchObject(refused(404, "NoSuchBucket"));
    const copy = new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/signed/c` });
    await expect(s3.send(copy)).rejects.toMatchObject(refused(501, "NotImplemented"));
  });
});

describe("files that were changed by hand", () => {
  const fileOf = (key: string) =>
    path.join(folder, "objects", createHash("sha256").update(key).digest("hex"));

  it("a removed one is a missing object, also while the server runs", async () => {
    await put("hand/removed", "content");
    rmSync(fileOf("hand/removed"));
    await expect(head("hand/removed")).rejects.toMatchObject({ name: "NotFound" });
    await expect(textOf("hand/removed")).rejects.toMatchObject(refused(404, "NoSuchKey"));
  });

  it("swapped ones have each other's content, and what is cut off reads as zeros", async () => {
    await put("hand/a", "content of a");
    await put("hand/the other", "content of another");
    renameSync(fileOf("hand/a"), `${folder}/a`);
    renameSync(fileOf("hand/the other"), fileOf("hand/a"));
    renameSync(`${folder}/a`, fileOf("hand/the other"));
    // A range is read, because the client verifies a whole object by its checksum.
    const read = (key: string) => textOf(key, { Range: "bytes=0-" });
    expect(await read("hand/a")).toBe("content of a");
    expect(await read("hand/the other")).toBe("content of a\0\0\0\0\0\0");
    truncateSync(fileOf("hand/a"), 2);
    expect(await read("hand/a")).toBe("\0".repeat(12));
    for (const key of ["hand/a", "hand/the other"]) rmSync(fileOf(key));
  });
});

describe("a restart", () => {
  it("keeps every object with its facts", async () => {
    const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: soon() };
    await put("kept/ü", "content", { ...lock, ContentEncoding: "gzip" });
    const before = await head("kept/ü");
    await stop();
    await start();
    const { $metadata: _, ...after } = await head("kept/ü");
    expect(before).toMatchObject(after);
    expect(await textOf("kept/ü")).toBe("content");
  });

  it("after SIGKILL in the middle of puts finds each object whole or not at all", async () => {
    const killed = mkdtempSync(path.join(os.tmpdir(), "s3-killed-"));
    const script = `
      import { startS3Server } from ${JSON.stringify(SERVER_FILE)};
      const server = await startS3Server(${JSON.stringify({ bucket: Bucket, folder: killed, credentials })});
      console.log(server.endpoint);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
    const [line] = await once(child.stdout, "data");
    const client = clientOf(String(line).trim());
    const confirmed = new Set<string>();
    const body = (key: string) => Buffer.alloc(400_000, key);
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; ; n++) {
        const Key = `${writer}/${n}`;
        const Body = body(Key);
        await client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: "*" }));
        confirmed.add(Key);
      }
    });
    await expect.poll(() => confirmed.size, { timeout: 20_000 }).toBeGreaterThan(20);
    child.kill("SIGKILL");
    await Promise.allSettled(writers);
    client.destroy();
    const again = await startS3Server({ bucket: Bucket, folder: killed, credentials });
    const reader = clientOf(again.endpoint);
    const { Contents = [] } = await reader.send(new ListObjectsV2Command({ Bucket }));
    const found = Contents.map(({ Key = "" }) => Key);
    expect(found).toEqual(expect.arrayContaining([...confirmed]));
    for (const Key of found) {
      const { Body } = await reader.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(body(Key)), Key).toBe(true);
    }
    expect(readdirSync(path.join(killed, "incoming"))).toEqual([]);
    reader.destroy();
    await again.stop();
    rmSync(killed, { recursive: true });
  });
});

describe("the product over the local S3 server", () => {
  it("writes once, reads ranges, lists, locks, signs and removes", async () => {
    const place = { endpoint: server.endpoint, region: "us-east-1", credentials };
    const { connect, close } = connectS3(place);
    const random = { clock: systemClock, random: systemRandom };
    const objects = createS3Objects({ bucket: Bucket, locks: true, connect, ...random });
    const prefix = `life/${randomUUID()}/`;
    const body = gzipSync("one\ntwo\n");
    const ndjson = { contentType: "application/x-ndjson", contentEncoding: "gzip" };
    const create = () => objects.create(`${prefix}1`, body, ndjson);
    const results = await Promise.all(Array.from({ length: 10 }, create));
    expect(results.toSorted()).toEqual(["created", ...Array(9).fill("exists")]);
    const hash = createHash("sha256").update(body).digest("hex");
    expect(await objects.head(`${prefix}1`)).toEqual({ bytes: body.length, sha256: hash });
    expect(await objects.read(`${prefix}1`, 0, 1_000)).toEqual(Uint8Array.from(body));
    expect(await objects.read(`${prefix}1`, 1, 3)).toEqual(Uint8Array.from(body.subarray(1, 3)));
    expect(await objects.read(`${prefix}1`, 1_000, 2_000)).toEqual(new Uint8Array());
    expect(await objects.read(`${prefix}2`, 0, 1)).toBeUndefined();
    expect(await objects.head(`${prefix}2`)).toBeUndefined();
    await objects.create(`${prefix}2`, body, { ...ndjson, lockedUntil: soon() });
    const first = { names: [`${prefix}1`], more: true };
    expect(await objects.list(prefix, undefined, 1)).toEqual(first);
    const second = { names: [`${prefix}2`], more: false };
    expect(await objects.list(prefix, `${prefix}1`, 1)).toEqual(second);
    const answer = await fetch(await objects.signedUrl(`${prefix}1`, 60));
    expect(await answer.text()).toBe("one\ntwo\n");
    const names = [`${prefix}1`, `${prefix}2`, `${prefix}3`];
    await expect(objects.remove(names)).rejects.toMatchObject({ names: [`${prefix}2`] });
    expect(await objects.list(prefix, undefined, 9)).toEqual(second);
    close();
  });
});
