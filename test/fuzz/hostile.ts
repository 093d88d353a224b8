import fc from "fast-check";

const repeat = (text: string, times: number) => text.repeat(times);

/** Path segments as they appear in the request line. */
export const hostileSegment = fc.oneof(
  fc
    .constantFrom(
      "",
      ".",
      "..",
      "..%2f",
      "%2e%2e%2f",
      "%2F",
      "%5c",
      "%00",
      "a%00b",
      "a%23b",
      "a%2fb",
      "a/b",
      "%0d%0aX-Evil:%201",
      "%E0%A4%A",
      "%ff",
      "%",
      "%zz",
      "%F0%9F%98%80",
      "%ED%A0%80",
      "A",
      "a b",
      "__proto__",
      "constructor",
      "a~b",
      "a*",
      "*",
      "META",
      "a;b=c",
      "a?b",
      "%3F",
      "a%20",
      "-a",
      "_",
      "%C2%AD",
      "%E2%80%AE",
      repeat("a", 129),
      repeat("a", 4_000),
      repeat("%2e", 400),
    )
    .map((segment) => segment.replaceAll(" ", "%20")),
  fc.string({ maxLength: 30 }).map(encodeURIComponent),
);

/** Values of query parameters as they appear in the request line. */
export const hostileValue = fc.oneof(
  fc.constantFrom(
    "",
    "NaN",
    "-1",
    "0",
    "-0",
    "1e400",
    "Infinity",
    "-Infinity",
    "0x10",
    "1.5",
    "1e3",
    "9007199254740993",
    "null",
    "undefined",
    "true",
    "[]",
    "{}",
    "%00",
    "%0d%0aX-Evil:%201",
    "%ff",
    "%F0%9F%98%80",
    "2026-13-45T99:99:99Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "+275760-09-13T00:00:00Z",
    "%ED%A0%80",
    repeat("A", 7_000),
    repeat("A", 24),
    "%EF%BC%91",
    "+1",
    "%201",
    "1_000",
  ),
  fc.string({ maxLength: 40 }).map(encodeURIComponent),
);

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

const DEEP = 100_000;

/** Bodies that a parser must reject cleanly. */
export const hostileBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .constantFrom(
      "",
      " ",
      "null",
      "true",
      "0",
      '""',
      "[]",
      "{}",
      "{",
      "}",
      "[1,]",
      '{"a":1,}',
      "NaN",
      "'a'",
      '{"key":"k","data":1}{"key":"k","data":1}',
      '{"key":"k","key":"j","data":1}',
      '{"__proto__":{"name":"x"}}',
      '{"constructor":{"prototype":{"x":1}},"name":"fuzz-a"}',
      '{"key":"k","data":1e400}',
      '{"key":"k","data":-0}',
      '{"key":"k","data":9007199254740993}',
      '{"key":"k","data":"\\u0000"}',
      '{"key":"\\ud800","data":1}',
      '{"key":"k","data":"\\udc00"}',
      '{"key":"\u202e\u0000k","data":1}',
      '{"key":"e\u0301","data":1}',
      '{"key":"\u00e9","data":1}',
      '{"name":"fuzz-a","partitions":1e9}',
      '{"name":"fuzz-a","partitions":-1}',
      '{"name":null}',
      '{"events":[]}',
      '{"events":{}}',
      '{"events":null}',
      `{"events":[${repeat("{},", 999)}{}]}`,
      '{"cursor":""}',
      '{"cursor":null}',
      `{"cursor":"${repeat("A", 6_144)}"}`,
      '{"name":["a"]}',
      '{"scopes":["admin","admin"],"streams":["*"],"name":"x"}',
      '{"overlapSeconds":1e308}',
      '{"key":"","data":1}',
      `{"key":"${repeat("k", 512)}","data":1}`,
      `{"key":"${repeat("k", 513)}","data":1}`,
    )
    .map((text) => bytes(text)),
  fc
    .constantFrom(
      () => bytes(repeat("[", DEEP)),
      () => bytes(repeat("[", DEEP), repeat("]", DEEP)),
      () => bytes('{"key":"k","data":', repeat('{"a":', DEEP), "1", repeat("}", DEEP + 1)),
      () =>
        bytes(
          `{"key":"k","data":{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join()}}}`,
        ),
      () => bytes([0xef, 0xbb, 0xbf], '{"key":"k","data":1}'),
      () => bytes('{"key":"', [0xff, 0xfe], '","data":1}'),
      () => bytes([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
      () => bytes('{"key":"k","data":"', repeat("x", 300_000), '"}'),
      () => bytes(repeat(" ", 70_000)),
    )
    .map((make) => make()),
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => bytes(text)),
);

/** Headers that are wrong, odd, or try to smuggle in a second one. */
export const hostileHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  fc
    .constantFrom(
      "application/json",
      "application/json; charset=utf-16",
      "application/x-ndjson",
      "text/plain",
      "application/cloudevents+json",
      "application/cloudevents-batch+json",
      "multipart/form-data",
      "application/x-www-form-urlencoded",
      "application/json;;;",
      "*/*",
      "",
      "a",
      repeat("a", 8_000),
    )
    .map((type) => ({ "content-type": type })),
  fc
    .constantFrom("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "", "x", "IDENTITY")
    .map((encoding) => ({ "content-encoding": encoding })),
  fc
    .constantFrom(
      "",
      "a",
      "12345678",
      repeat("a", 65),
      "../../etc",
      "<script>alert(1)</script>",
      "a\tb",
    )
    .map((id) => ({ "x-request-id": id })),
  fc
    .constantFrom('""', '"', "a", repeat("a", 255), repeat("a", 256), '"a b"', "é", "a, b")
    .map((key) => ({ "idempotency-key": key })),
  fc
    .constantFrom(
      "*/*",
      "application/cloudevents-batch+json",
      "text/html",
      "q=",
      "a/b;q=2",
      ",,,",
      "",
    )
    .map((accept) => ({ accept })),
  fc.constantFrom("1.0", "0.3", "", "2").map((version) => ({
    "ce-specversion": version,
    "ce-id": "1",
    "ce-source": "/a",
    "ce-type": "t",
    "ce-subject": "%00%ff%zz",
  })),
  fc
    .constantFrom("Bearer", "Bearer ", "Basic YTpi", "Bearer a b", repeat("Bearer x", 900))
    .map((authorization) => ({ authorization })),
  fc.constantFrom("a", "b:99999", "evil.example", "[::1]").map((host) => ({ host })),
  fc.constant({ "x-forwarded-host": "evil", "x-http-method-override": "DELETE", origin: "null" }),
);

export const hostileMethod = fc.constantFrom(
  "PUT",
  "OPTIONS",
  "TRACE",
  "HEAD",
  "PROPFIND",
  "GET",
  "POST",
);
