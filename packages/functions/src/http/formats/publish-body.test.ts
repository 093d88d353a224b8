import { LIMITS } from "@eventledger/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePublish } from "../../../../../test/support/decode-publish.ts";
import { anyJsonText, problemOf, space } from "./arbitrary-json.ts";
import { eventBytes } from "./envelope.ts";
import { publishDecoder } from "./publish-body.ts";

const bytesOf = (body: string | Uint8Array) =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;
const publish = (contentType: string | undefined, body: string | Uint8Array | Uint8Array[]) =>
  decodePublish({
    contentType,
    headers: new Headers(),
    body: Array.isArray(body) ? body : bytesOf(body),
  });
const json = (body: string | Uint8Array) => publish("application/json", body);
const ndjson = (body: string) => publish("application/x-ndjson", body);
const errorsOf = (run: () => unknown) => {
  const { code, errors } = problemOf(run);
  return { code, errors };
};
const invalid = (pointer: string, detail: unknown) => ({
  code: "invalid-request",
  errors: [{ pointer, detail }],
});

describe("a native body", () => {
  it("a native body may be one event", () => {
    const body =
      ' {"data" : { "b": 1.10 } , "headers":{"x":"1"},"k\\u0065y":"k","time":"2026-01-02T03:04:05+02:00"}\n';
    expect(json(body)).toEqual([
      {
        attributes: { key: "k", time: "2026-01-02T03:04:05+02:00", headers: { x: "1" } },
        data: '{ "b": 1.10 }',
      },
    ]);
  });

  it("a native body may be a list of events in their order", () => {
    const body = '{"events":[{"key":"a","data":null}, {"data":[ ],"id":"7","type":"t","key":"b"}]}';
    expect(json(body)).toEqual([
      { attributes: { key: "a" }, data: "null" },
      { attributes: { key: "b", id: "7", type: "t" }, data: "[ ]" },
    ]);
  });

  it("any data of any event is kept as it was sent", () => {
    return fc.assert(
      fc.property(fc.array(anyJsonText, { minLength: 1, maxLength: 5 }), space, (datas, s) => {
        const events = datas.map((data) => `${s}{${s}"data"${s}:${s}${data}${s},"key":"k"}${s}`);
        const sent = [json(`{"events":[${events.join(",")}]}`), ndjson(toLines(events).join("\n"))];
        const oneLine = toLines(datas);
        expect(sent[0]?.map(({ data }) => data)).toEqual(datas);
        expect(sent[1]?.map(({ data }) => data)).toEqual(oneLine);
      }),
    );
  });

  it.each([
    ["[]", "", 'must be an object: one event, or {"events": [...]}'],
    ["null", "", 'must be an object: one event, or {"events": [...]}'],
    ['{"key":"k"}', "/data", expect.stringContaining("is required")],
    ['{"data":1}', "/key", "is required"],
    ['{"key":1,"data":1}', "/key", "must be of type string"],
    ['{"key":"","data":1}', "/key", "must not be empty"],
    ['{"key":"\\ud800","data":1}', "/key", "must not hold a lone surrogate"],
    ['{"key":"k","data":1,"type":null}', "/type", "must be of type string"],
    ['{"key":"k","data":1,"time":"2026-01-02"}', "/time", expect.stringContaining("RFC 3339")],
    ['{"key":"k","data":1,"a/b~c":1}', "/a~1b~0c", "is not a known field"],
    ['{"key":"k","data":1,"__proto__":{"x":1}}', "/__proto__", "is not a known field"],
    ['{"key":"k","data":1,"constructor":1}', "/constructor", "is not a known field"],
    ['{"data":1,"__proto__":{"key":"k"},"key":"k"}', "/__proto__", "is not a known field"],
    ['{"key":"k","data":1,"data":2}', "/data", "appears more than once"],
    ['{"key":"k","data":1,"k\\u0065y":"l"}', "/key", "appears more than once"],
    ['{"key":"k","data":1,"headers":[]}', "/headers", "must be of type object"],
    ['{"key":"k","data":1,"headers":{"a":1}}', "/headers/a", "must be of type string"],
    ['{"key":"k","data":1,"headers":{"A":"1"}}', "/headers/A", expect.stringMatching(/must match/)],
    ['{"key":"k","data":1,"headers":{"a":"1","a":"1"}}', "/headers/a", "appears more than once"],
    [
      '{"key":"k","data":1,"headers":{"__proto__":"1"}}',
      "/headers/__proto__",
      "is not a legal header name",
    ],
    ['{"events":[]}', "/events", "must hold at least one event"],
    ['{"events":{}}', "/events", "must be an array of events"],
    ['{"events":[{"key":"k","data":1}],"key":"k"}', "/key", "is not a known field"],
    ['{"events":[1],"events":[]}', "/events", "appears more than once"],
    ['{"events":[{"key":"k","data":1},7]}', "/events/1", "must be of type object"],
    [
      '{"events":[{"key":"k","data":1},{"key":"k","data":1,"x":1}]}',
      "/events/1/x",
      expect.anything(),
    ],
  ])("of %s is refused at %s", (body, pointer, detail) => {
    expect(errorsOf(() => json(body))).toEqual(invalid(pointer, detail));
  });

  it("an invalid body is refused with a pointer for each fault of each event", () => {
    const problem = problemOf(() =>
      json('{"events":[{"x":1,"y":2},{"key":"k","data":1},{"key":2}]}'),
    );
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual([
      "/events/0/key",
      "/events/0/data",
      "/events/0/x",
      "/events/0/y",
      "/events/2/key",
      "/events/2/data",
    ]);
    expect(problem.detail).toBe("/events/0/key is required. 6 fields are invalid in all.");
  });

  it("an object with more than 64 members is refused unread, as an event and as headers", () => {
    const members = Array.from({ length: 65 }, (_, i) => `"h${i}":"1"`).join();
    expect(errorsOf(() => json(`{${members}}`))).toEqual(invalid("", "has more than 64 members"));
    expect(errorsOf(() => json(`{"key":"k","data":1,"headers":{${members}}}`))).toEqual(
      invalid("/headers", "has more than 64 members"),
    );
  });

  it("a refusal does not repeat a long name", () => {
    const { errors, detail } = problemOf(() =>
      json(`{"key":"k","data":1,"${"😀".repeat(5000)}":1}`),
    );
    expect(errors[0]?.pointer).toMatch(/^\/😀+…$/u);
    expect(detail.length).toBeLessThan(300);
  });

  it("a refusal lists at most twenty faults, and the number of the others", () => {
    const problem = problemOf(() => json(`{"events":[${Array(1000).fill("{}").join(",")}]}`));
    expect(problem.errors).toHaveLength(20);
    expect(problem.detail).toContain(
      "2000 fields are invalid in all, 1980 of them not listed here.",
    );
  });

  it("a body is checked as UTF-8, then as JSON, then its shape, its data and its size", () => {
    const deep = '{"key":"k","data":'.concat("[".repeat(65), "]".repeat(65), "}");
    const large = `{"key":"k","data":"${"x".repeat(LIMITS.eventBytesMax)}"}`;
    const codeOf = (...events: string[]) =>
      problemOf(() => json(`{"events":[${events.join(",")}]}`)).code;
    expect(codeOf(large, deep, "{}", "{")).toBe("malformed-json");
    expect(codeOf(large, deep, "{}")).toBe("invalid-request");
    expect(codeOf(large, deep)).toBe("unsupported-data");
    expect(codeOf(large)).toBe("event-too-large");
    expect(problemOf(() => json(Uint8Array.of(0x7b, 0xff))).detail).toContain("UTF-8");
  });

  it("the refusal names the event whose data cannot be kept", () => {
    const body = '{"events":[{"key":"k","data":1},{"key":"k","data":["\\udfff"]}]}';
    expect(errorsOf(() => json(body))).toEqual({
      code: "unsupported-data",
      errors: [{ pointer: "/events/1/data", detail: expect.stringContaining("character 2") }],
    });
  });
});

describe("the caps", () => {
  const eventOf = (bytes: number) => {
    const frame = eventBytes(json('{"key":"é","type":"t","data":""}')[0] ?? expect.fail());
    const odd = (bytes - frame) % 2 === 1 ? "x" : "";
    const fill = "é".repeat(Math.floor((bytes - frame) / 2)) + odd;
    return `{"type":"t","data":"${fill}","key":"\\u00e9"}`;
  };

  it("the size of an event is its data as sent and its attributes as compact JSON", () => {
    const [event] = json('{ "key" : "\\u00e9" , "data" : [ 1 ] }');
    expect(event && eventBytes(event)).toBe('{"key":"é"}'.length + 1 + "[ 1 ]".length);
  });

  it("an event at the cap is accepted, and one byte more is refused", () => {
    expect(json(eventOf(LIMITS.eventBytesMax))).toHaveLength(1);
    const body = `{"events":[{"key":"k","data":1},${eventOf(LIMITS.eventBytesMax + 1)}]}`;
    const problem = problemOf(() => json(body));
    expect(problem.errors[0]?.pointer).toBe("/events/1");
    expect(problem).toMatchObject({
      code: "event-too-large",
      facts: { eventBytes: 262_145, eventBytesMax: 262_144 },
    });
  });

  it.each([
    ["a list", (events: string[]) => json(`{"events":[${events.join(",")}]}`)],
    ["lines", (events: string[]) => ndjson(events.join("\n"))],
  ])("let 1,000 events pass as %s and refuse one more, valid or not", (_, send) => {
    const events = Array<string>(1000).fill('{"key":"k","data":1}');
    expect(send(events)).toHaveLength(1000);
    const problem = problemOf(() => send([...events, "{}"]));
    expect(problem).toMatchObject({ code: "too-many-events", facts: { requestEventsMax: 1000 } });
  });
});

describe("an NDJSON body", () => {
  it("each line is an event, and blank lines are skipped", () => {
    const body = '\n{"key":"a","data":1}\r\n \t\n{"key":"b","data":{ }}\n\n';
    expect(ndjson(body).map(({ data }) => data)).toEqual(["1", "{ }"]);
  });

  it("an invalid line is refused with the event's pointer and its line number", () => {
    const body = '{"key":"a","data":1}\n\n{"data":1}\n';
    expect(errorsOf(() => ndjson(body))).toEqual(invalid("/1/key", "is required (line 3)"));
    const deep = `\n{"key":"k","data":"\\ud800"}`;
    expect(errorsOf(() => ndjson(deep)).errors).toEqual([
      { pointer: "/0/data", detail: expect.stringContaining("(line 2)") },
    ]);
  });

  it.each([
    ['{"key":"a","data":1}\n{"key":', /^Line 2 is not JSON: /],
    ['{"key":"a","data":1}{"key":"a","data":1}', /^Line 1 is not JSON: /],
    ['{"key":"a",\n"data":1}', /^Line 1 is not JSON: /],
  ])("of %j is refused as JSON", (body, detail) => {
    const problem = problemOf(() => ndjson(body));
    expect(problem.code).toBe("malformed-json");
    expect(problem.detail).toMatch(detail);
  });

  it("the events are the same however the body is cut into pieces", () => {
    const body = new TextEncoder().encode(
      '{"key":"é€😀","data":"😀"}\n\r\n{"key":"b","data":[ 1 ]}',
    );
    const whole = publish("application/x-ndjson", body);
    expect(whole).toHaveLength(2);
    const cuts = fc.array(fc.nat(body.length), { maxLength: 8 });
    return fc.assert(
      fc.property(cuts, (unsorted) => {
        const ends = [...unsorted.sort((a, b) => a - b), body.length];
        const pieces = ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
        expect(publish("application/x-ndjson", pieces)).toEqual(whole);
      }),
    );
  });

  it.each([
    ['{"key":"a"}\n', "invalid-request"],
    ['{"key":\n', "malformed-json"],
    ['{"key":"a","data":"\\ud800"}\n', "unsupported-data"],
    [`{"key":"a","data":"${"x".repeat(LIMITS.eventBytesMax)}"}\n`, "event-too-large"],
  ])("is refused for its first wrong line, before there is more of it", (line, code) => {
    const decoder = publishDecoder({ contentType: "application/x-ndjson", headers: new Headers() });
    const push = (text: string) => "push" in decoder && decoder.push(bytesOf(text));
    push('{"key":"a","data":1}\n');
    push(line.slice(0, -1));
    const problem = problemOf(() => push(line.slice(-1)));
    expect(problem.code).toBe(code);
    expect(problem.detail).toMatch(/line 2/i);
  });

  it.each(["", "\n", " \n\r\n"])(
    "a body of %j is refused, because it contains no event",
    (body) => {
      expect(errorsOf(() => ndjson(body))).toEqual(invalid("", "must hold at least one event"));
    },
  );
});

describe("the content type", () => {
  const event = '{"key":"k","data":1}';

  it.each([
    "application/json",
    "Application/JSON ; charset=UTF-8",
    'application/json;charset="utf-8"',
    "application/json; profile=x",
    "application/x-ndjson; charset=utf-8",
    "application/json; charset=utf8",
  ])("the content type %s is accepted", (contentType) => {
    expect(publish(contentType, event)).toHaveLength(1);
  });

  it.each([
    undefined,
    "",
    "json",
    "text/plain",
    "application/xml",
    "application/cloudevents+xml",
    "application/cloudevents",
    "application/json; charset=latin1",
    "application/x-ndjson; charset=utf-16",
    "application/cloudevents+json; charset=iso-8859-1",
    "constructor",
    "multipart/form-data; boundary=x",
  ])("%s is refused, saying what is accepted", (contentType) => {
    const problem = problemOf(() => publish(contentType, event));
    expect(problem.code).toBe("unsupported-media-type");
    expect(problem.detail).toContain("application/cloudevents-batch+json");
  });
});

/**
 * Replaces line breaks between the tokens of JSON by spaces. Inside strings they are always
 * escaped.
 */
const toLines = (texts: readonly string[]) => texts.map((text) => text.replace(/[\n]/g, " "));
