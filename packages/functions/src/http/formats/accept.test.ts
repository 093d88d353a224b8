import { describe, expect, it } from "vitest";
import { chooseFormat, wantsEventStream } from "./accept.ts";

const CE = "application/cloudevents-batch+json";

describe("choosing a format", () => {
  it.each([
    [undefined, "native"],
    ["", "native"],
    ["*/*", "native"],
    ["application/*", "native"],
    ["application/json", "native"],
    ["text/html", "native"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "native"],
    [CE, "cloudevents"],
    [CE.toUpperCase(), "cloudevents"],
    [`${CE}; charset=utf-8`, "cloudevents"],
    [`application/json, ${CE}`, "native"],
    [`${CE}, application/json;q=0.9`, "cloudevents"],
    [`application/json;q=0.9, ${CE}`, "cloudevents"],
    [`application/json, ${CE};q=0.9`, "native"],
    [`${CE}, */*`, "cloudevents"],
    [`${CE}, */*;q=0.1`, "cloudevents"],
    [`*/*, ${CE};q=0.5`, "native"],
    [`${CE};q=0`, "native"],
    [`${CE};q=0, */*`, "native"],
    ["application/json;q=0, */*", "cloudevents"],
    ["application/json;q=0", "native"],
    [",;q=x,,", "native"],
  ])("reads %s as %s", (accept, format) => {
    expect(chooseFormat(accept)).toBe(format);
  });
});

describe("asking for an event stream", () => {
  it.each([
    ["text/event-stream", true],
    ["TEXT/EVENT-STREAM", true],
    ["text/event-stream, */*", true],
    ["text/event-stream, application/json;q=0.9", true],
    ["text/event-stream, application/json", false],
    [`text/event-stream, ${CE}`, false],
    ["text/event-stream;q=0", false],
    ["text/*", false],
    ["*/*", false],
    ["application/json", false],
    [undefined, false],
  ])("reads %s as %s", (accept, wants) => {
    expect(wantsEventStream(accept)).toBe(wants);
  });
});
