import { gzipSync } from "node:zlib";
import { LIMITS } from "@eventledger/protocol";
import fc from "fast-check";
import { slot } from "../from-schema.ts";

/** A request with placeholders for ids and cursors of earlier answers. */
export type DoorRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array | undefined;
  readonly chunked?: boolean;
  readonly gzip?: "whole" | "cut";
};

/**
 * Keys that a URL, a header or a text can confuse with other keys. All of them are on the stream.
 */
export const KEYS = [
  "a",
  "A",
  "a#1",
  "%41",
  "%2541",
  "%",
  "%%",
  "%zz",
  "%25",
  "50%",
  "50%25",
  "a?b",
  "a?",
  "?",
  "a/b",
  "/",
  "//",
  "a%2Fb",
  "a/",
  "retry",
  "skip",
  "a/retry",
  ".",
  "..",
  "...",
  "%2e",
  "./a",
  "a b",
  " ",
  "a+b",
  "+",
  "a&key=b",
  "a=b",
  "=",
  "a;b",
  ";",
  "a,b",
  ",",
  "a:b",
  "@",
  "~",
  "*",
  '"',
  "'",
  "`",
  "<a>",
  "{a}",
  "[a]",
  "a|b",
  "\\",
  "a\\b",
  "^",
  "$&",
  "!()",
  "__proto__",
  "é",
  "e\u0301",
  "Ã©",
  "ключ",
  "漢字",
  "🔑",
  "👩‍👩‍👧",
  "\ufeffa",
  "\ufffd",
  "\u202ea",
  "\u00a0",
  "\u0000",
  "\u0001",
  "\t",
  "\n",
  "\r\n",
  "\u007f",
  "\u0080",
  "\u2028",
  "\u{10ffff}",
  "k".repeat(LIMITS.keyBytesMax),
  "é".repeat(LIMITS.keyBytesMax / 2),
] as const;

const anyKey = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<string>(...KEYS) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 4 }) },
);

/** Keys in the percent-encoding of careful, careless and overcautious clients. */
const escapedKey = fc
  .tuple(anyKey, fc.constantFrom("component", "component", "every byte", "lower case", "as it is"))
  .map(([key, how]) => {
    const text = key.toWellFormed();
    if (how === "component") return encodeURIComponent(text);
    const hex = [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`);
    if (how === "every byte") return hex.join("").toUpperCase();
    if (how === "lower case") return encodeURIComponent(text).toLowerCase();
    // A client cannot send other bytes in a request line.
    return /^[\x21-\x7e]+$/.test(text) ? text : hex.join("");
  });

const STREAM = "/streams/fuzz-a";
const SUBSCRIPTION = `${STREAM}/subscriptions/fuzz-a`;
const JSON_TYPE = ["content-type", "application/json"] as const;

const dataText = fc.oneof(
  { weight: 4, arbitrary: fc.json() },
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => JSON.stringify(text.toWellFormed())),
  fc.constantFrom("null", "1e400", "-0", '"\\u0000"', '"\\ud800"', '"\ufffd"', '{"a":1,"a":2}'),
);

const eventText = fc
  .record({ key: anyKey, data: dataText, type: fc.option(fc.string({ maxLength: 9 })) })
  .map(({ key, data, type }) =>
    [
      `{"key":${JSON.stringify(key.toWellFormed())},"data":${data}`,
      type === null ? "}" : `,"type":${JSON.stringify(type.toWellFormed())}}`,
    ].join(""),
  );

const cloudEventText = fc.record({ key: anyKey, data: dataText }).map(({ key, data }) => {
  const id = JSON.stringify(key.toWellFormed());
  return `{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":${id},"data":${data}}`;
});

type Content = { readonly type: string; readonly body: string | Uint8Array };

const contents: fc.Arbitrary<Content> = fc.oneof(
  { weight: 3, arbitrary: eventText.map((body) => ({ type: "application/json", body })) },
  fc.array(eventText, { minLength: 1, maxLength: 4 }).map((all) => ({
    type: "application/json; charset=utf-8",
    body: `{"events":[${all.join()}]}`,
  })),
  fc
    .tuple(fc.array(eventText, { minLength: 1, maxLength: 4 }), fc.constantFrom("\n", "\r\n"))
    .map(([lines, end]) => ({ type: "application/x-ndjson", body: lines.join(end) })),
  cloudEventText.map((body) => ({ type: "application/cloudevents+json", body })),
  fc.array(cloudEventText, { minLength: 1, maxLength: 3 }).map((all) => ({
    type: "application/cloudevents-batch+json",
    body: `[${all.join()}]`,
  })),
);

/** Bytes with a truncated character or without a valid one. */
const brokenContent: fc.Arbitrary<Content> = fc
  .tuple(
    contents,
    fc.nat(200),
    fc.constantFrom([0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0]),
  )
  .map(([{ type, body }, at, wrong]) => {
    const bytes = Buffer.from(body);
    const cut = at % (bytes.length + 1);
    return {
      type,
      body: Buffer.concat([bytes.subarray(0, cut), Buffer.from(wrong), bytes.subarray(cut)]),
    };
  });

/** Bodies at the caps. Some grow little on their way through a gateway, and some grow most. */
const largeContent: fc.Arbitrary<Content> = fc
  .record({
    type: fc.constantFrom("application/json", "application/x-ndjson"),
    over: fc.constantFrom(-1, 0, 1, 700_000),
    unit: fc.constantFrom("x", "é", '\\"', "\\\\"),
    isMany: fc.boolean(),
  })
  .map(({ type, over, unit, isMany }) => {
    const bytes = (isMany ? LIMITS.requestBytesMax : LIMITS.eventBytesMax) + over;
    const size = isMany ? 200_000 : bytes - 40;
    const data = unit.repeat(Math.floor(size / Buffer.byteLength(unit)));
    const event = `{"key":"large","data":"${data}"}`;
    const events = Array.from(
      { length: isMany ? Math.floor(bytes / (size + 60)) : 1 },
      () => event,
    );
    const body = type === "application/json" ? `{"events":[${events.join()}]}` : events.join("\n");
    return { type, body: body + " ".repeat(Math.max(0, bytes - Buffer.byteLength(body))) };
  });

const oddHeaders = fc.constantFrom<DoorRequest["headers"]>(
  ...([
    [["Idempotency-Key", "one"]],
    [["Idempotency-Key", '"one"']],
    [
      ["idempotency-key", "two"],
      ["Idempotency-Key", "three"],
    ],
    [["Idempotency-Key", "four, five"]],
    [["Idempotency-Key", "  six\t"]],
    [["Idempotency-Key", ""]],
    [["If-Match", '"1"']],
    [
      ["If-Match", '"1"'],
      ["If-Match", '"2"'],
    ],
    [["If-None-Match", "*"]],
    [["CONTENT-TYPE", "Application/JSON ; Charset=UTF-8"]],
    [["content-type", "text/plain"]],
    [["Content-Type", ""]],
    [
      ["Accept", "application/cloudevents-batch+json"],
      ["Accept", "text/html"],
    ],
    [["Accept-Encoding", "gzip"]],
    [
      ["Accept-Encoding", "br"],
      ["accept-encoding", "gzip;q=0.5"],
    ],
    [["Origin", "https://app.example.com"]],
    [["Origin", "https://evil.example.com"]],
    [["Authorization", "Bearer wrong"]],
    [
      ["X-Api-Key", "wrong"],
      ["X-Api-Key", "wrong"],
    ],
    [
      ["X-Request-Id", "a-request-id"],
      ["X-Request-Id", "a-request-id"],
    ],
    [["Cookie", "a=b; c=d"]],
    [["X-Other", "\u00c3\u00a9"]],
    [["X-Http-Method-Override", "DELETE"]],
    [["Content-Encoding", "identity"]],
    [["Content-Encoding", "GZIP"]],
  ] as [string, string][][]),
);

const isSeldom = (oneIn: number) => fc.nat(oneIn - 1).map((n) => n === 0);

const publishes: fc.Arbitrary<DoorRequest> = fc
  .record({
    content: fc.oneof(
      { weight: 16, arbitrary: contents },
      { weight: 3, arbitrary: brokenContent },
      { weight: 1, arbitrary: largeContent },
    ),
    odd: fc.oneof(
      { weight: 3, arbitrary: fc.constant<DoorRequest["headers"]>([]) },
      { weight: 1, arbitrary: oddHeaders },
    ),
    chunked: isSeldom(4),
    gzip: fc.option(fc.constantFrom("whole" as const, "whole" as const, "cut" as const), {
      freq: 3,
    }),
  })
  .map(({ content, odd, chunked, gzip }) => ({
    method: "POST",
    path: `${STREAM}/events`,
    chunked,
    body: content.body,
    headers: [
      ...withType(content.type, odd),
      ...(gzip ? [["content-encoding", "gzip"] as const] : []),
    ],
    ...(gzip ? { gzip } : {}),
  }));

/** The odd headers may contain a content type themselves. */
const withType = (type: string, odd: DoorRequest["headers"]): DoorRequest["headers"] =>
  odd.some(([name]) => name.toLowerCase() === "content-type")
    ? odd
    : [["content-type", type], ...odd];

/** The value is always UTF-8, because it is unknown what AWS passes on otherwise. */
const attributeValue = fc
  .tuple(anyKey, fc.constantFrom("percent", "as it is", "quoted"))
  .map(([key, how]) => {
    const text = key.toWellFormed();
    if (how === "percent") return encodeURIComponent(text);
    const shown = how === "quoted" ? `"${text.replaceAll(/["\\]/g, "\\$&")}"` : text;
    // Latin-1 has one character for each byte.
    return Buffer.from(shown)
      .toString("latin1")
      .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "-");
  });

const binaryCloudEvents: fc.Arbitrary<DoorRequest> = fc
  .record({
    subject: attributeValue,
    partition: fc.option(attributeValue, { freq: 3 }),
    other: fc.option(attributeValue, { freq: 3 }),
    twice: isSeldom(6),
    type: fc.constantFrom(
      "application/json",
      "text/plain",
      "text/csv; charset=utf-8",
      "application/octet-stream",
      "application/xml",
      "image/png",
      "application/cloudevents+json",
      undefined,
    ),
    body: fc.oneof(
      fc.json().map((text): string | Uint8Array => text),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(new Uint8Array()),
    ),
  })
  .map(({ subject, partition, other, twice, type, body }) => ({
    method: "POST",
    path: `${STREAM}/events`,
    body,
    headers: [
      ["ce-specversion", "1.0"],
      ["Ce-Id", "1"],
      ["CE-SOURCE", "/s"],
      ["ce-type", "t"],
      ["ce-subject", subject],
      ...(twice ? [["CE-Subject", subject] as const] : []),
      ...(partition === null ? [] : [["ce-partitionkey", partition] as const]),
      ...(other === null ? [] : [["ce-other", other] as const]),
      ...(type === undefined ? [] : [["content-type", type] as const]),
    ],
  }));

/** Requests with a key in the path or in the query. */
const addresses: fc.Arbitrary<DoorRequest> = fc
  .record({
    key: escapedKey,
    other: escapedKey,
    odd: fc.oneof(
      { weight: 6, arbitrary: fc.constant<DoorRequest["headers"]>([]) },
      { weight: 1, arbitrary: oddHeaders },
    ),
    at: fc.constantFrom<(key: string, other: string) => [method: string, path: string]>(
      (key) => ["GET", `${STREAM}/compacted/${key}`],
      (key) => ["HEAD", `${STREAM}/compacted/${key}`],
      (key) => ["GET", `${STREAM}/compacted?key=${key}`],
      (key) => ["GET", `${STREAM}/compacted?keyPrefix=${key}&limit=2`],
      (key) => ["GET", `${STREAM}/compacted?prefix=${key}`],
      (key) => ["GET", `${STREAM}/events?key=${key}&limit=5`],
      (key) => ["GET", `${STREAM}/events?keyPrefix=${key}&order=desc`],
      (key, other) => ["GET", `${STREAM}/events?key=${key}&key=${other}`],
      (key) => ["GET", `${STREAM}/events?type=${key}&last=3`],
      (key) => ["POST", `${SUBSCRIPTION}/parked/${key}/retry`],
      (key) => ["POST", `${SUBSCRIPTION}/parked/${key}/skip`],
      (key) => ["POST", `${SUBSCRIPTION}/parked/retry?key=${key}`],
      (key) => ["POST", `${SUBSCRIPTION}/parked/skip?key=${key}&sequence=1`],
      (key) => ["GET", `/streams/${key}`],
      (key) => ["DELETE", `/streams/other/subscriptions/${key}`],
      (key, other) => ["GET", `/${key}/${other}`],
      (key) => ["GET", `/docs/assets/${key}`],
    ),
  })
  .map(({ key, other, odd, at }) => {
    const [method, path] = at(key, other);
    return { method, path, headers: odd };
  });

/** Changes to where a key is read from. */
const steps: fc.Arbitrary<DoorRequest> = fc.oneof(
  fc.constantFrom<DoorRequest>(
    { method: "POST", path: `${STREAM}/compact`, headers: [] },
    { method: "GET", path: `${SUBSCRIPTION}/poll?limit=20`, headers: [] },
    { method: "POST", path: `${SUBSCRIPTION}/poll`, headers: [JSON_TYPE], body: "{}" },
    { method: "POST", path: `${SUBSCRIPTION}/poll`, headers: [], chunked: true, body: "" },
    { method: "GET", path: `${SUBSCRIPTION}/parked`, headers: [] },
    { method: "GET", path: `${STREAM}?include=stats`, headers: [] },
  ),
  slot("cursor").map((cursor) => ({
    method: "POST",
    path: `${SUBSCRIPTION}/commit`,
    headers: [JSON_TYPE],
    body: `{"cursor":"${cursor}"}`,
  })),
  fc.tuple(anyKey, fc.integer({ min: 1, max: KEYS.length + 9 })).map(([key, sequence]) => ({
    method: "POST",
    path: `${SUBSCRIPTION}/park`,
    headers: [JSON_TYPE],
    body: JSON.stringify({ sequence, reason: key.toWellFormed().slice(0, 50) }),
  })),
  // Bodies at the cap of all requests except a publish.
  fc.constantFrom(-1, 0, 1).map((over) => ({
    method: "POST",
    path: `${SUBSCRIPTION}/seek`,
    headers: [JSON_TYPE],
    body: '{"to":"latest"}'.padEnd(LIMITS.otherRequestBytesMax + over),
  })),
);

/** Requests about keys, in every form that carries a key. */
export const keyedRequests: fc.Arbitrary<DoorRequest> = fc.oneof(
  { weight: 4, arbitrary: addresses },
  { weight: 3, arbitrary: publishes },
  { weight: 2, arbitrary: binaryCloudEvents },
  { weight: 2, arbitrary: steps },
);

/** Returns the bytes of a body, compressed if its headers say so. */
export function bytesOf(body: string | Uint8Array, gzip: DoorRequest["gzip"]): Buffer {
  const bytes = Buffer.from(body);
  if (gzip === undefined) return bytes;
  const packed = gzipSync(bytes);
  return gzip === "whole" ? packed : packed.subarray(0, packed.length - 5);
}
