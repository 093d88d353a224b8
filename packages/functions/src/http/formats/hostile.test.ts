import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePublish } from "../../../../../test/support/decode-publish.ts";
import { problemOf } from "./arbitrary-json.ts";

const DEEP = 100_000;
const nest = (open: string, close: string) => open.repeat(DEEP) + close.repeat(DEEP);

/** Returns as many items as the largest request can hold. */
function many(item: (i: number) => string): string {
  const items: string[] = [];
  for (let [i, left] = [0, LIMITS.requestBytesMax]; left > 0; i++) {
    const next = item(i);
    items.push(next);
    left -= next.length + 1;
  }
  return items.join();
}

const decode = (contentType: string, body: string) =>
  decodePublish({ contentType, headers: new Headers(), body: Buffer.from(body) });

/** Far more CPU time than any linear run takes, and far less than a quadratic run takes. */
const CALM_MS = 4_000;

/** Returns the CPU time of this thread so far. The load of the machine does not change it. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

describe("a hostile body", () => {
  it.each([
    ["arrays nested 100,000 deep", `{"key":"k","data":${nest("[", "]")}}`, "unsupported-data"],
    [
      "objects nested 100,000 deep",
      `{"key":"k","data":${nest('{"":', "}").replace("}", "1}")}}`,
      "unsupported-data",
    ],
    ["nesting in the key", `{"key":${nest("[", "]")},"data":1}`, "invalid-request"],
    [
      "nesting in an unknown field",
      `{"x":${nest("[", "]")},"key":"k","data":1}`,
      "invalid-request",
    ],
    ["nesting as the body", nest("[", "]"), "invalid-request"],
    ["nesting that never closes", "[".repeat(DEEP), "malformed-json"],
    ["nesting in the list", `{"events":[${nest("[", "]")}]}`, "invalid-request"],
    ["nothing but members", `{${many((i) => `"${i}":0`)}}`, "invalid-request"],
    ["nothing but members of one name", `{${many(() => '"key":"k"')}}`, "invalid-request"],
    [
      "nothing but headers",
      `{"key":"k","data":1,"headers":{${many((i) => `"h${i}":""`)}}}`,
      "invalid-request",
    ],
    ["nothing but events", `{"events":[${many(() => "{}")}]}`, "too-many-events"],
    [
      "nothing but members of the data",
      `{"key":"k","data":{${many((i) => `"${i}":0`)}}}`,
      "event-too-large",
    ],
    ["a million escapes", `{"key":"k","data":"${"\\u0000".repeat(1e6)}"}`, "event-too-large"],
    ["a million backslashes", `{"key":"k","data":"${"\\".repeat(2e6)}"}`, "event-too-large"],
    ["a number of a million digits", `{"key":"k","data":${"9".repeat(1e6)}}`, "event-too-large"],
    [
      "a pointer of a million characters",
      `{"key":"k","data":1,"${"~/".repeat(5e5)}":1}`,
      "invalid-request",
    ],
    ["a body of white space", " ".repeat(4e6), "malformed-json"],
  ])("of %s is refused calmly", (_, body, code) => {
    const before = busyMs();
    expect(problemOf(() => decode("application/json", body)).code).toBe(code);
    expect(busyMs() - before).toBeLessThan(CALM_MS);
  });

  it.each([
    ["application/x-ndjson", "\n".repeat(4e6), "invalid-request"],
    ["application/x-ndjson", "{}\n".repeat(1e6), "invalid-request"],
    ["application/x-ndjson", '{"key":"k","data":1}\n'.repeat(2e5), "too-many-events"],
    ["application/cloudevents-batch+json", `[${many(() => "{}")}]`, "too-many-events"],
    ["application/cloudevents+json", `{${many((i) => `"x${i}":0`)}}`, "invalid-request"],
    [
      "application/cloudevents+json",
      `{"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k","data_base64":"${"A".repeat(4e6)}"}`,
      "event-too-large",
    ],
    [
      "application/cloudevents+json",
      `{"specversion":"1.0","id":"1","source":"${"a".repeat(4e6)} ","type":"t","subject":"k"}`,
      "invalid-request",
    ],
  ])("as %s is refused calmly", (contentType, body, code) => {
    const before = busyMs();
    expect(problemOf(() => decode(contentType, body)).code).toBe(code);
    expect(busyMs() - before).toBeLessThan(CALM_MS);
  });

  it("a body that is slightly wrong is decoded or refused with a code", () => {
    const [native, cloudEvent] = [
      '{"key":"k","data":{"a":[1,"\\ud83d\\ude00"]},"headers":{"a":"b"}}',
      '{"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k","ext":1,"data":"é"}',
    ];
    const body = fc.constantFrom(
      native,
      cloudEvent,
      `{"events":[${native},${native}]}`,
      `${native}\n${native}`,
      `[${cloudEvent}]`,
    );
    const contentType = fc.constantFrom(
      "application/json",
      "application/x-ndjson",
      "application/cloudevents+json",
      "application/cloudevents-batch+json",
    );
    const snippet = fc.constantFrom(
      "",
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "\n",
      "\\ud800",
      "__proto__",
      "null",
      "\u0000",
      "1e9",
    );
    return fc.assert(
      fc.property(body, contentType, fc.nat(), fc.nat(6), snippet, (text, type, at, cut, put) => {
        const from = at % text.length;
        const off = text.slice(0, from) + put + text.slice(from + cut);
        expect(codeOf(() => decode(type, off))).toBeTypeOf("string");
      }),
      { numRuns: 2000 },
    );
  });
});

/** Returns the code of the problem that a function throws. Rethrows any other error. */
function codeOf(run: () => unknown): string {
  try {
    run();
    return "decoded";
  } catch (error) {
    if (error instanceof LedgerError) return error.code;
    throw error;
  }
}
