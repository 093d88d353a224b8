import { printEvent, type RawJson, type StoredEvent } from "@eventledger/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePublish } from "../../../../../test/support/decode-publish.ts";
import { anyJsonText } from "./arbitrary-json.ts";
import { printPage } from "./event-json.ts";

const event: StoredEvent = {
  data: "1.10" as RawJson,
  headers: { b: "1", a: "2" },
  time: "2026-01-02T03:04:05+02:00",
  type: "t",
  key: 'k"\u0000',
  id: "i",
  publishedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  sequence: 7,
};

describe("printing an event", () => {
  it("an event has its members in their order, and its data as it was sent", () => {
    expect(printEvent(event)).toBe(
      '{"sequence":7,"publishedAt":"2026-01-02T03:04:05.006Z","id":"i","key":"k\\"\\u0000",' +
        '"type":"t","time":"2026-01-02T03:04:05+02:00","headers":{"b":"1","a":"2"},"data":1.10}',
    );
    const { headers: _h, time: _t, type: _y, ...bare } = event;
    expect(printEvent(bare)).toMatch(/"key":"[^,]*","data":1.10}$/);
  });

  it("a printed event has the published attributes and the exact data", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    return fc.assert(
      fc.property(anyJsonText, text, text, (data, key, value) => {
        const body = `{"headers":{"h":${JSON.stringify(value)}},"data":${data},"key":${JSON.stringify(key)}}`;
        const [incoming = expect.fail()] = decodePublish({
          contentType: "application/json",
          headers: new Headers(),
          body: Buffer.from(body),
        });
        const { key: kept, headers = {} } = incoming.attributes;
        const printed = printEvent({
          sequence: 1,
          publishedAt: 0,
          id: "i",
          key: kept,
          headers,
          data: incoming.data,
        });
        expect(printed.endsWith(`,"data":${data}}`)).toBe(true);
        expect(JSON.parse(printed)).toMatchObject({ key, headers: { h: value } });
      }),
    );
  });
});

describe("printing a page", () => {
  it("the members of a page follow its events", () => {
    expect(printPage({ cursor: "c", caughtUp: true }, [], "native", "s")).toEqual({
      contentType: "application/json",
      body: '{"events":[],"cursor":"c","caughtUp":true}',
      headerMembers: {},
    });
    const { body } = printPage({}, [event, event], "native", "s");
    expect(body).toBe(`{"events":[${printEvent(event)},${printEvent(event)}]}`);
  });

  it("the members of a page are returned separately when CloudEvents has no room for them", () => {
    const page = printPage({ cursor: "c" }, [], "cloudevents", "s");
    expect(page).toEqual({
      contentType: "application/cloudevents-batch+json",
      body: "[]",
      headerMembers: { cursor: "c" },
    });
  });
});
