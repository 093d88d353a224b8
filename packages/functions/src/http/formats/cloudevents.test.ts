import type { RawJson, StoredEvent } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import { HTTP, CloudEvent as SdkEvent } from "cloudevents";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePublish } from "../../../../../test/support/decode-publish.ts";
import { anyJsonText, problemOf, space } from "./arbitrary-json.ts";
import { toCloudEventJson } from "./cloudevents.ts";
import { printPage } from "./event-json.ts";

const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";
const minimal = { specversion: "1.0", id: "1", source: "/shop", type: "t", partitionkey: "k" };

const decode = (contentType: string | undefined, body: string | Uint8Array, headers = {}) =>
  decodePublish({ contentType, headers: new Headers(headers), body: Buffer.from(body) });
const structured = (event: object | string) =>
  decode(STRUCTURED, typeof event === "string" ? event : JSON.stringify(event))[0] ?? expect.fail();
const binary = (
  headers: Record<string, string>,
  body: string | Uint8Array = "",
  contentType?: string,
) => {
  const ce = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "t" };
  return decode(contentType, body, { ...ce, "ce-subject": "k", ...headers })[0] ?? expect.fail();
};
const stored = (event: Partial<StoredEvent>): StoredEvent => ({
  sequence: 42,
  publishedAt: Date.UTC(2026, 10, 24, 8, 30, 0, 7),
  id: "1",
  key: "k",
  data: "1" as RawJson,
  ...event,
});
const outOf = ({ attributes, data }: ReturnType<typeof structured>): string => {
  const { key, id = "made", type, time, headers } = attributes;
  const optional = { ...(type && { type }), ...(time && { time }), ...(headers && { headers }) };
  return toCloudEventJson("orders", stored({ key, id, data, ...optional }));
};
const faultsOf = (run: () => unknown) => {
  const { code, errors } = problemOf(run);
  return { code, pointers: errors.map(({ pointer }) => pointer) };
};
const invalid = (...pointers: string[]) => ({ code: "invalid-request", pointers });

describe("a structured CloudEvent", () => {
  it("a CloudEvent becomes an event, with unknown attributes as headers", () => {
    const text =
      '{"specversion":"1.0","id":"e1","source":"https://shop/1","type":"placed","subject":"s",' +
      '"time":"2026-01-02T03:04:05.6+01:00","datacontenttype":"application/json",' +
      '"dataschema":"https://shop/schema#1","partitionkey":"k","traceparent":"00-1",' +
      '"retries":3,"urgent":false,"gone":null,"data": { "n" : 1.10 } }';
    expect(structured(text)).toEqual({
      attributes: {
        key: "k",
        id: "e1",
        type: "placed",
        time: "2026-01-02T03:04:05.6+01:00",
        headers: {
          "ce-source": "https://shop/1",
          "ce-subject": "s",
          "ce-datacontenttype": "application/json",
          "ce-dataschema": "https://shop/schema#1",
          "ce-traceparent": "00-1",
          "ce-retries.integer": "3",
          "ce-urgent.boolean": "false",
        },
      },
      data: '{ "n" : 1.10 }',
    });
  });

  it("a CloudEvent is returned as it was sent, with its key, its sequence and its exact data", () => {
    const value = fc.oneof(fc.string({ maxLength: 9 }), fc.boolean(), fc.integer());
    const name = fc.stringMatching(/^x[a-z0-9]{0,19}$/);
    const extensions = fc.dictionary(name, value, { maxKeys: 9 });
    return fc.assert(
      fc.property(anyJsonText, space, extensions, (data, s, more) => {
        const context = { ...minimal, ...more, time: "2026-01-02T03:04:05Z" };
        const text = `${JSON.stringify(context).slice(0, -1)},"data":${s}${data}${s}}`;
        const out = outOf(structured(text));
        expect(out.endsWith(`,"data":${data}}`)).toBe(true);
        const { data: _, ...attributes } = JSON.parse(out);
        expect(attributes).toEqual({ ...context, sequence: "0000000000000042" });
      }),
    );
  });

  it.each([{}, { data: null }, { data: null, data_base64: null }])(
    "a CloudEvent with %j is a tombstone",
    (data) => {
      expect(structured({ ...minimal, ...data }).data).toBe("null");
    },
  );

  it.each([{ data: null }, { data: null, data_base64: null }])(
    "a CloudEvent with %j is returned with data of null",
    (data) => {
      const event = structured({ ...minimal, ...data });
      expect(event.attributes.headers).not.toHaveProperty("ce-data_absent");
      expect(JSON.parse(outOf(event))).toMatchObject({ data: null });
    },
  );

  it.each([{}, { data_base64: null }])("a CloudEvent with %j is returned without data", (data) => {
    const event = structured({ ...minimal, ...data });
    expect(event.attributes.headers).toMatchObject({ "ce-data_absent": "true" });
    expect(JSON.parse(outOf(event))).not.toHaveProperty("data");
  });

  it("a CloudEvent with the maximum number of headers has no mark of absent data", () => {
    const extensions = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, "1"]));
    const event = structured({ ...minimal, ...extensions(LIMITS.headersMax - 1) });
    expect(Object.keys(event.attributes.headers ?? {})).toHaveLength(LIMITS.headersMax);
    expect(JSON.parse(outOf(event))).toMatchObject({ data: null });
  });

  it("Base64 is kept as a string and returned as data_base64", () => {
    const event = structured(
      '{"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k","data_base64":"\\/w=="}',
    );
    expect(event).toMatchObject({
      attributes: { headers: { "ce-data_base64": "true" } },
      data: '"/w=="',
    });
    expect(JSON.parse(outOf(event))).toMatchObject({ data_base64: "/w==" });
    expect(JSON.parse(outOf(event))).not.toHaveProperty("data");
  });

  it("the subject is the key if there is no partitionkey", () => {
    const { partitionkey: _, ...rest } = minimal;
    expect(structured({ ...rest, subject: "s" }).attributes.key).toBe("s");
    const problem = problemOf(() => structured(rest));
    expect(problem.errors).toEqual([
      {
        pointer: "/partitionkey",
        detail: "is required as the key of the event, unless `subject` is set",
      },
    ]);
  });

  it.each<[object | string, ...string[]]>([
    ["[]", ""],
    [{ ...minimal, partitionkey: "" }, "/partitionkey"],
    [{ ...minimal, partitionkey: 1 }, "/partitionkey"],
    [{ ...minimal, subject: "" }, "/subject"],
    [{ ...minimal, partitionkey: undefined, subject: "s".repeat(513) }, "/subject"],
    [{ ...minimal, time: "yesterday" }, "/time"],
    [{ ...minimal, dataschema: "relative" }, "/dataschema"],
    [{ ...minimal, Foo: "x", "a-b": "x" }, "/Foo", "/a-b"],
    [
      '{"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k","__proto__":"x"}',
      "/__proto__",
    ],
    [{ ...minimal, ext: {} }, "/ext"],
    [{ ...minimal, ext: 2 ** 31 }, "/ext"],
    [{ ...minimal, ext: 0.5 }, "/ext"],
    [{ ...minimal, ext: "x".repeat(1025) }, "/ext"],
    [{ ...minimal, ["x".repeat(62)]: "1" }, `/${"x".repeat(62)}`],
    [{ ...minimal, data: 1, data_base64: "AA==" }, "/data_base64"],
    [{ ...minimal, data_base64: "?" }, "/data_base64"],
    [{ ...minimal, data_base64: "AAA" }, "/data_base64"],
    [
      '{"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k","data":1,"data":1}',
      "/data",
    ],
    [{}, "/specversion", "/id", "/source", "/type", "/partitionkey"],
  ])("of %j is refused at %s", (event, ...pointers) => {
    expect(faultsOf(() => structured(event))).toEqual(invalid(...pointers));
  });

  it("a CloudEvent may have as many attributes as an event has headers, including source", () => {
    const sized = (count: number) => ({
      ...minimal,
      ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, "1"])),
    });
    expect(Object.keys(structured(sized(31)).attributes.headers ?? {})).toHaveLength(32);
    expect(faultsOf(() => structured(sized(32)))).toEqual(invalid("/source"));
  });
});

describe("a batch of CloudEvents", () => {
  it("the events of a batch keep their order, and a batch may be empty", () => {
    const batch = [minimal, { ...minimal, id: "2", data: [1] }];
    expect(decode(BATCH, JSON.stringify(batch)).map(({ data }) => data)).toEqual(["null", "[1]"]);
    expect(decode(BATCH, " [ ] ")).toEqual([]);
  });

  it("a batch is refused with pointers into its array", () => {
    const batch = JSON.stringify([minimal, { ...minimal, id: "" }, 3]);
    expect(faultsOf(() => decode(BATCH, batch))).toEqual(invalid("/1/id", "/2"));
    expect(faultsOf(() => decode(BATCH, JSON.stringify(minimal)))).toEqual(invalid(""));
  });
});

describe("a CloudEvent in binary mode", () => {
  it.each<[string | undefined, string | Uint8Array, string, object]>([
    ["application/json; charset=utf-8", ' {"a":1.10}\n', '{"a":1.10}', {}],
    ["application/vnd.shop+json", "-0", "-0", {}],
    ["application/json", "", "null", { "ce-data_absent": "true" }],
    ["application/json", "null", "null", {}],
    ["text/plain", '"é"\ufeff', '"\\"é\\"\ufeff"', {}],
    ["text/plain", Uint8Array.of(0xff), '"/w=="', { "ce-data_base64": "true" }],
    ["text/plain; charset=latin1", Uint8Array.of(0xe9), '"6Q=="', { "ce-data_base64": "true" }],
    ["application/octet-stream", "ab", '"YWI="', { "ce-data_base64": "true" }],
    ["application/x-ndjson", "1\n2", '"MQoy"', { "ce-data_base64": "true" }],
    [undefined, "ab", '"YWI="', { "ce-data_base64": "true" }],
  ])("keeps a body of %s", (contentType, body, data, headers) => {
    const event = binary({}, body, contentType);
    const type = contentType === undefined ? {} : { "ce-datacontenttype": contentType };
    expect(event).toEqual({
      attributes: {
        key: "k",
        id: "1",
        type: "t",
        headers: { "ce-source": "/shop", "ce-subject": "k", ...type, ...headers },
      },
      data,
    });
  });

  it.each([
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["100%", "100%"],
    ["100%25", "100%"],
    ["%2525", "%25"],
    ['"a \\"b\\" %20"', 'a "b"  '],
  ])("the header value %s is decoded", (value, text) => {
    expect(binary({ "ce-partitionkey": value }).attributes.key).toBe(text);
  });

  it.each([
    [{ "ce-subject": "%C0%A0" }, "/headers/ce-subject"],
    [{ "ce-subject": "%ED%A0%80" }, "/headers/ce-subject"],
    [{ "ce-subject": "é" }, "/headers/ce-subject"],
    [{ "ce-id": "" }, "/headers/ce-id"],
    [{ "ce-specversion": "0.3" }, "/headers/ce-specversion"],
    [{ "ce-a-b": "1" }, "/headers/ce-a-b"],
    [{ "ce-__proto__": "1" }, "/headers/ce-__proto__"],
    [{ "ce-datacontenttype": "text/plain" }, "/headers/ce-datacontenttype"],
    [{ "ce-data": "1" }, "/headers/ce-data"],
  ])("is refused for the headers %j", (headers, pointer) => {
    expect(faultsOf(() => binary(headers))).toEqual(invalid(pointer));
  });

  it("binary data that contradicts its type, or that cannot be kept, is refused", () => {
    const codeOf = (body: string | Uint8Array, type = "application/json") =>
      problemOf(() => binary({}, body, type)).code;
    expect(codeOf("{")).toBe("malformed-json");
    expect(codeOf(Uint8Array.of(0xff))).toBe("malformed-json");
    expect(codeOf('"\\ud800"')).toBe("unsupported-data");
    expect(codeOf("1", "application/json; charset=utf-16")).toBe("unsupported-media-type");
    expect(codeOf("x".repeat(300_000), "text/plain")).toBe("event-too-large");
  });

  it("a structured media type takes precedence over binary mode, and binary mode over a native one", () => {
    const headers = { "ce-specversion": "1.0" };
    expect(decode(STRUCTURED, JSON.stringify(minimal), headers)).toHaveLength(1);
    expect(() => decode("application/json", '{"key":"k","data":1}', headers)).toThrow();
    expect(faultsOf(() => decode("application/cloudevents+xml", "", headers)).code).toBe(
      "unsupported-media-type",
    );
  });
});

describe("printing a CloudEvent", () => {
  it("[publish.formats] UTF-8 in a header is accepted, and bytes that are not UTF-8 are refused", () => {
    // Converts text to the form in which a server passes on a header: one character for each byte.
    const bytes = (text: string) => Buffer.from(text).toString("latin1");
    expect(binary({ "ce-subject": bytes("ключ %41") }).attributes.key).toBe("ключ A");
    expect(binary({ "ce-subject": bytes('"日本"') }).attributes.key).toBe("日本");
    expect(faultsOf(() => binary({ "ce-subject": "\u00e9" }))).toEqual(
      invalid("/headers/ce-subject"),
    );
  });

  it.each([
    [{ "ce-sequence": "7" }, "7"],
    [{ "ce-sequence.integer": "7" }, 7],
    [{ "ce-sequence.boolean": "true" }, true],
  ])("a CloudEvent keeps its own sequence: %o", (own, kept) => {
    const headers = { "ce-source": "/a", ...own };
    const printed = JSON.parse(toCloudEventJson("s", stored({ headers })));
    expect(printed).toMatchObject({ sequence: kept, ledgersequence: "0000000000000042" });
  });

  it("a native event gets a source, a type, its time of publishing and a sequence", () => {
    expect(toCloudEventJson("orders", stored({ data: "1.10" as RawJson }))).toBe(
      '{"specversion":"1.0","id":"1","source":"/streams/orders","type":"eventledger.event",' +
        '"time":"2026-11-24T08:30:00.007Z","partitionkey":"k","sequence":"0000000000000042","data":1.10}',
    );
  });

  it("headers with a legal name become extensions, and others are dropped", () => {
    const headers = {
      traceparent: "00-1",
      "x-request-id": "dropped",
      "a.b": "dropped",
      source: "dropped",
      time: "dropped",
      data: "dropped",
      sequence: "dropped",
      partitionkey: "dropped",
      "ce-sequence": "dropped",
      "ce-id": "dropped",
      "ce-source": "not a uri",
      "ce-subject": "",
      "ce-dataschema": "relative",
      "ce-n.integer": "1.5",
      "ce-m.integer": "-7",
      "ce-b.boolean": "yes",
      "ce-data_base64": "true",
      "ce-own": "first",
      own: "second",
    };
    const text = toCloudEventJson("orders", stored({ headers }));
    expect(text).not.toContain("dropped");
    const { specversion, id, source, type, time, partitionkey, sequence, data, ...extensions } =
      JSON.parse(text);
    expect({ source, id, data }).toEqual({ source: "/streams/orders", id: "1", data: 1 });
    expect(extensions).toEqual({ traceparent: "00-1", m: -7, own: "first" });
  });

  it.each(['"a"', '"\\u0041AA="', '"=AAA"', "[]", "null"])(
    "%s does not count as Base64",
    (data) => {
      const event = stored({ headers: { "ce-data_base64": "true" }, data: data as RawJson });
      expect(toCloudEventJson("orders", event).endsWith(`,"data":${data}}`)).toBe(true);
    },
  );
});

describe("the CloudEvents SDK", () => {
  const sdkEvents: [string, SdkEvent<unknown>][] = [
    [
      "JSON",
      new SdkEvent({
        id: "1",
        source: "/shop",
        type: "t",
        subject: "k",
        data: { a: [1, "é", null] },
      }),
    ],
    [
      "extensions of each type",
      new SdkEvent({
        source: "urn:x:1",
        type: "t",
        partitionkey: "k",
        retries: 3,
        urgent: true,
        data: ["x"],
      }),
    ],
    [
      "a schema and a time",
      new SdkEvent({
        source: "/s",
        type: "t",
        subject: "k",
        dataschema: "https://s/1",
        time: "2026-01-02T03:04:05.000Z",
        data: {},
      }),
    ],
    [
      "text",
      new SdkEvent({
        source: "/s",
        type: "t",
        subject: "k",
        datacontenttype: "text/plain",
        data: "text",
      }),
    ],
    ["no data", new SdkEvent({ source: "/s", type: "t", subject: "k" })],
  ];
  const read = (text: string) =>
    HTTP.toEvent({ headers: { "content-type": BATCH }, body: `[${text}]` });

  it.each(sdkEvents)("the SDK sends %s structured and reads it back from a batch", (_, event) => {
    const { headers, body } = HTTP.structured(event);
    const [decoded = expect.fail()] = decode(
      String(headers["content-type"]),
      String(body),
      headers,
    );
    expect(read(outOf(decoded))).toEqual([
      event.cloneWith({
        partitionkey: event.partitionkey ?? event.subject,
        sequence: "0000000000000042",
        ...(event.data === undefined ? {} : { data: event.data }),
      }),
    ]);
  });

  it.each(sdkEvents)("the SDK sends %s in binary mode, with extensions as text", (_, event) => {
    const { headers, body } = HTTP.binary(event);
    const contentType = String(headers["content-type"]);
    const sent = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, String(v)]));
    const [decoded = expect.fail()] = decode(contentType, String(body ?? ""), sent);
    expect(read(outOf(decoded))).toMatchObject([
      {
        id: event.id,
        source: event.source,
        type: "t",
        time: event.time,
        datacontenttype: contentType,
      },
    ]);
  });

  it("the SDK sends a bare string as invalid JSON, which is refused", () => {
    const { headers, body } = HTTP.binary(
      new SdkEvent({ source: "/s", type: "t", subject: "k", data: "bare" }),
    );
    const send = () => decode("application/json", String(body), headers);
    expect(problemOf(send).code).toBe("malformed-json");
  });

  it("the SDK sends bytes structured and reads the same bytes", () => {
    const event = new SdkEvent({
      source: "/s",
      type: "t",
      subject: "k",
      data: Uint8Array.of(0, 255),
    });
    const { headers, body } = HTTP.structured(event);
    const [decoded = expect.fail()] = decode(String(headers["content-type"]), String(body));
    const [back] = read(outOf(decoded)) as SdkEvent<Uint8Array>[];
    expect(back?.data_base64).toBe("AP8=");
  });

  it("the SDK reads a page of native events", () => {
    const { body, contentType } = printPage(
      {},
      [stored({}), stored({ id: "2" })],
      "cloudevents",
      "s",
    );
    const events = HTTP.toEvent({ headers: { "content-type": contentType }, body }) as SdkEvent[];
    expect(events.map(({ id, source }) => [id, source])).toEqual([
      ["1", "/streams/s"],
      ["2", "/streams/s"],
    ]);
  });

  it.each([
    ["", false],
    ["a b", false],
    ["/a%zz", false],
    ["é", false],
    ["<x>", false],
    ["https://shop.example/1?a=b#c", true],
    ["urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", true],
    ["mailto:a@b.c", true],
    ["1-555-123-4567", true],
    ["a/b%20c", true],
    ["/", true],
  ])("has the same verdict on the source %j", (source, isLegal) => {
    const event = { ...minimal, source };
    const verdict = (run: () => unknown) => {
      try {
        return run() !== undefined;
      } catch {
        return false;
      }
    };
    expect(verdict(() => structured(event))).toBe(isLegal);
    expect(verdict(() => new SdkEvent(event))).toBe(isLegal);
  });
});
