import { createHash, randomUUID } from "node:crypto";
import { checkBody } from "./incoming-body.ts";
import { accessDenied, notImplemented, S3Error } from "./s3-error.ts";
import type { ObjectFacts, ObjectStore } from "./stored-object.ts";
import { type Content, elementsOf, printXml, textOf } from "./xml.ts";

/** A request for the bucket or for one of its objects. */
export type S3Request = {
  readonly method: string;
  /** Decoded. Empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As it arrived, perhaps in chunks. */
  readonly body: Buffer;
};

export type S3Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

type Deps = { readonly store: ObjectStore; readonly bucket: string; readonly nowMs: () => number };
type Operation = (deps: Deps, request: S3Request) => Promise<S3Answer> | S3Answer;

/** The longest key that S3 accepts, in UTF-8 bytes. */
const KEY_BYTES_MAX = 1_024;

/** Answers a request that may be carried out. Throws an `S3Error` when it is refused. */
export function operate(deps: Deps, request: S3Request): Promise<S3Answer> | S3Answer {
  if (Buffer.byteLength(request.key) > KEY_BYTES_MAX) throw new S3Error(400, "KeyTooLongError");
  const operation = find(request);
  if (operation === undefined) throw notImplemented(`${request.method} with these parameters`);
  return operation(deps, request);
}

/** The parameters of other operations, which this server does not implement. */
const OTHERS =
  /^(acl|attributes|cors|encryption|legal-hold|lifecycle|notification|object-lock|part|policy|restore|retention|select|tagging|torrent|uploadId|uploads|versioning|versions|website)/;

function find({ method, key, query, headers }: S3Request): Operation | undefined {
  if ([...query.keys()].some((name) => OTHERS.test(name))) return undefined;
  if (key === "") {
    if (method === "POST") return query.has("delete") ? removeSeveral : undefined;
    if (method === "GET") return query.get("list-type") === "2" ? list : undefined;
    return method === "HEAD" || method === "PUT" ? () => ({ status: 200 }) : undefined;
  }
  if (method === "PUT") return headers["x-amz-copy-source"] === undefined ? put : undefined;
  if (method === "GET" || method === "HEAD") return read;
  return method === "DELETE" ? removeOne : undefined;
}

/** The headers that a read returns as the writer sent them. */
const KEPT = /^(content-(type|encoding|disposition|language)|cache-control|expires|x-amz-meta-.+)$/;

const put: Operation = async ({ store, nowMs }, { key, headers, body: raw }) => {
  const { body, checksums } = checkBody(raw, headers);
  const lock = lockOf(headers, nowMs());
  const facts: ObjectFacts = {
    key,
    bytes: body.length,
    version: randomUUID(),
    etag: `"${createHash("md5").update(body).digest("hex")}"`,
    modifiedMs: nowMs(),
    checksums,
    headers: keptHeaders(headers),
    ...(lock === undefined ? {} : { lock }),
  };
  await store.put(facts, body, () => {
    const former = store.get(key);
    checkConditions(headers, former);
    // On AWS the former version would stay. This server keeps one version.
    if (isLocked(former, nowMs())) throw accessDenied("A lock keeps the object.");
  });
  return { status: 200, headers: { etag: facts.etag, ...versionOf(facts), ...checksums } };
};

function checkConditions(headers: S3Request["headers"], former: ObjectFacts | undefined): void {
  const { "if-none-match": absent, "if-match": match } = headers;
  if (absent !== undefined && absent !== "*") throw notImplemented("If-None-Match other than *");
  if (absent === "*" && former !== undefined) throw new S3Error(412, "PreconditionFailed");
  if (match === undefined) return;
  if (former === undefined) throw new S3Error(404, "NoSuchKey");
  if (quoted(match) !== former.etag) throw new S3Error(412, "PreconditionFailed");
}

const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);

/** The SDK adds `aws-chunked`, which describes only how the bytes were transferred. */
function keptHeaders(headers: S3Request["headers"]): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) => {
    if (!KEPT.test(name) || value === undefined) return [];
    const text =
      name === "content-encoding"
        ? value
            .split(/, */)
            .filter((each) => each !== "aws-chunked")
            .join(", ")
        : value;
    return text === "" ? [] : [[name, text] as const];
  });
  return Object.fromEntries(kept);
}

function lockOf(headers: S3Request["headers"], nowMs: number): ObjectFacts["lock"] {
  const mode = headers["x-amz-object-lock-mode"];
  const until = headers["x-amz-object-lock-retain-until-date"];
  if (mode === undefined && until === undefined) return undefined;
  const untilMs = Date.parse(until ?? "");
  const isMode = mode === "GOVERNANCE" || mode === "COMPLIANCE";
  if (isMode && untilMs > nowMs) return { mode, untilMs };
  throw new S3Error(400, "InvalidArgument", "A lock has a mode and a date in the future.");
}

const isLocked = (facts: ObjectFacts | undefined, nowMs: number): boolean =>
  facts?.lock !== undefined && facts.lock.untilMs > nowMs;

const versionOf = ({ version }: ObjectFacts) => ({ "x-amz-version-id": version });

const read: Operation = async ({ store }, { method, key, query, headers }) => {
  const facts = store.get(key);
  const version = query.get("versionId");
  if (facts === undefined || (version !== null && version !== facts.version)) {
    throw noSuchKey();
  }
  const shown = shownHeaders(facts, headers);
  if (headers["if-match"] !== undefined && quoted(headers["if-match"]) !== facts.etag) {
    throw new S3Error(412, "PreconditionFailed");
  }
  if (headers["if-none-match"] !== undefined && quoted(headers["if-none-match"]) === facts.etag) {
    return { status: 304, headers: shown };
  }
  const range = rangeOf(headers.range, facts.bytes);
  const { from, to } = range ?? { from: 0, to: facts.bytes };
  const status = range === undefined ? 200 : 206;
  const length = {
    "content-length": String(to - from),
    ...(range && { "content-range": `bytes ${from}-${to - 1}/${facts.bytes}` }),
  };
  const isHead = method === "HEAD";
  const body = await store.read(facts, from, isHead ? from : to);
  if (body === undefined) throw noSuchKey();
  return { status, headers: { ...shown, ...length }, ...(isHead ? {} : { body }) };
};

const noSuchKey = (): S3Error => new S3Error(404, "NoSuchKey", "The specified key does not exist.");

function shownHeaders(facts: ObjectFacts, headers: S3Request["headers"]): Record<string, string> {
  const isWhole = headers.range === undefined;
  const wantsChecksums = headers["x-amz-checksum-mode"] === "ENABLED" && isWhole;
  return {
    "content-type": "binary/octet-stream",
    ...facts.headers,
    "accept-ranges": "bytes",
    etag: facts.etag,
    "last-modified": new Date(facts.modifiedMs).toUTCString(),
    ...versionOf(facts),
    ...(wantsChecksums && facts.checksums),
    ...(facts.lock && {
      "x-amz-object-lock-mode": facts.lock.mode,
      "x-amz-object-lock-retain-until-date": new Date(facts.lock.untilMs).toISOString(),
    }),
  };
}

/** Parses one range, half open. Undefined for the whole object: S3 ignores what it cannot parse. */
function rangeOf(
  header: string | undefined,
  bytes: number,
): { from: number; to: number } | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
  const to = first === "" || last === "" ? bytes : Math.min(bytes, Number(last) + 1);
  if (from < to) return { from, to };
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable", {
    "content-range": `bytes */${bytes}`,
  });
}

const LISTED_MAX = 1_000;

const list: Operation = ({ store, bucket }, { query }) => {
  if (query.has("delimiter")) throw notImplemented("lists with a delimiter");
  const prefix = query.get("prefix") ?? "";
  const token = query.get("continuation-token");
  const after = token === null ? query.get("start-after") : fromToken(token);
  const limit = Math.min(LISTED_MAX, Number(query.get("max-keys") ?? LISTED_MAX));
  if (!(limit >= 0)) throw new S3Error(400, "InvalidArgument", "max-keys is not a number.");
  const order = (key: string) => Buffer.from(key).toString("latin1");
  const from = order(after ?? "");
  const all = store.sorted().filter(({ key }) => key.startsWith(prefix) && order(key) > from);
  const shown = all.slice(0, limit);
  const last = shown.at(-1);
  const print = query.get("encoding-type") === "url" ? encodeURIComponent : (text: string) => text;
  return xmlAnswer("ListBucketResult", {
    Name: bucket,
    Prefix: print(prefix),
    MaxKeys: limit,
    KeyCount: shown.length,
    IsTruncated: all.length > shown.length,
    EncodingType: query.get("encoding-type") ?? undefined,
    NextContinuationToken: all.length > shown.length && last ? toToken(last.key) : undefined,
    Contents: shown.map(({ key, etag, bytes, modifiedMs }) => ({
      Key: print(key),
      LastModified: new Date(modifiedMs).toISOString(),
      ETag: etag,
      Size: bytes,
      StorageClass: "STANDARD",
    })),
  });
};

const toToken = (key: string) => Buffer.from(key).toString("base64url");
const fromToken = (token: string) => Buffer.from(token, "base64url").toString();

const removeOne: Operation = async (deps, { key, query }) => {
  await remove(deps, key, query.get("versionId") ?? undefined);
  return { status: 204 };
};

/** Removes an object. It is no error if the object is absent or has another version. */
async function remove(
  { store, nowMs }: Deps,
  key: string,
  version: string | undefined,
): Promise<void> {
  const facts = store.get(key);
  if (facts === undefined || (version !== undefined && version !== facts.version)) return;
  await store.remove(key, () => {
    // Without a version, AWS hides a locked object. This server refuses to.
    if (isLocked(store.get(key), nowMs())) throw accessDenied("A lock keeps the object.");
  });
}

const removeSeveral: Operation = async (deps, { headers, body: raw }) => {
  const xml = checkBody(raw, headers).body.toString();
  const targets = elementsOf(xml, "Object").map((target) => ({
    key: textOf(target, "Key") ?? "",
    version: textOf(target, "VersionId"),
  }));
  if (targets.length === 0 || targets.length > LISTED_MAX) throw new S3Error(400, "MalformedXML");
  const errors: Content[] = [];
  const removed: Content[] = [];
  for (const { key, version } of targets) {
    try {
      await remove(deps, key, version);
      removed.push({ Key: key });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      errors.push({ Key: key, Code: error.code, Message: error.message });
    }
  }
  const isQuiet = textOf(xml, "Quiet") === "true";
  return xmlAnswer("DeleteResult", { Deleted: isQuiet ? [] : removed, Error: errors });
};

const xmlAnswer = (name: string, content: Content): S3Answer => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: printXml(name, content),
});
