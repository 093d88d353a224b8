import { describe, expect, it } from "vitest";
import { placeBody, readGoTo } from "./events/query.ts";
import { ago, bytes, counted, duration, rate } from "./format.ts";
import { headerMatcher, printHeaders, readHeaders } from "./headers.ts";
import { href, readPlace } from "./place.ts";
import { createSamples, ratesOf, sparkline } from "./samples.ts";
import { nextToAsk } from "./turns.ts";
import { glimpse, visible } from "./visible.ts";

describe("place", () => {
  it("an address is read as it was written, with any key in it", () => {
    const query = { key: "a/b?c#d&e=%2F é\u202e", seq: 5, empty: "", absent: undefined };
    const { path, query: read } = readPlace(href(["streams", "a.b", "key"], query));
    expect(path).toEqual(["streams", "a.b", "key"]);
    expect(read).toEqual({ key: query.key, seq: "5" });
  });

  it("an address that cannot be decoded is no error", () => {
    expect(readPlace("#/streams/%E0%A4%A/events").path).toEqual(["streams", "%E0%A4%A", "events"]);
    expect(readPlace("")).toEqual({ path: [], query: {} });
  });
});

describe("readGoTo", () => {
  const now = new Date(2026, 10, 29, 15, 30).getTime();
  const iso = (year: number, month: number, date: number, hours = 0, minutes = 0, seconds = 0) =>
    new Date(year, month, date, hours, minutes, seconds).toISOString();
  it.each([
    ["#42", { at: "42" }],
    ["42", { at: "42" }],
    ["last 50", { last: "50" }],
    ["earliest", { at: "earliest" }],
    ["15m", { at: iso(2026, 10, 29, 15, 15) }],
    ["2h ago", { at: iso(2026, 10, 29, 13, 30) }],
    ["14:02", { at: iso(2026, 10, 29, 14, 2) }],
    ["2026-11-28", { at: iso(2026, 10, 28) }],
    ["2026-11-28 09:15:30", { at: iso(2026, 10, 28, 9, 15, 30) }],
    ["2026-11-29T06:00:00Z", { at: "2026-11-29T06:00:00Z" }],
  ])("readGoTo reads %s", (typed, expected) => {
    expect(readGoTo(typed, now)).toMatchObject(expected);
  });
});

describe("placeBody", () => {
  it.each([
    ["earliest", "earliest"],
    ["bootstrap", "bootstrap"],
    ["42", { sequence: 42 }],
    ["2026-11-29T06:00:00Z", { timestamp: "2026-11-29T06:00:00Z" }],
    ["4gEAd9_x-Q", { cursor: "4gEAd9_x-Q" }],
  ])("placeBody sends %s", (at, expected) => {
    expect(placeBody(at)).toEqual(expected);
  });
});

describe("headers", () => {
  it("headers are read from lines and printed as lines", () => {
    const headers = { source: "shop", "trace-id": "a:b c" };
    expect(readHeaders("source: shop\n\n trace-id :a:b c ")).toEqual(headers);
    expect(readHeaders(printHeaders(headers))).toEqual(headers);
    expect(readHeaders(" \n")).toBeUndefined();
    expect(() => readHeaders("source")).toThrow('unlike "source"');
  });

  it("a header is found by its name, or by name and value", () => {
    const has = (text: string) => headerMatcher(text)({ source: "shop: two" });
    expect(["", "source", "Source: shop: two", " source :shop: two"].map(has)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(["source: shop", "other", "constructor", "source:"].map(has)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(headerMatcher("source")(undefined)).toBe(false);
  });
});

describe("nextToAsk", () => {
  it("names that were never asked come first, then those that were asked longest ago", () => {
    const at = new Map([
      ["a", 30],
      ["b", 10],
      ["c", 20],
    ]);
    const next = (most: number, before = 100) =>
      nextToAsk(["a", "b", "c", "d", "e"], (name) => at.get(name), { before, most });
    expect(next(3)).toEqual(["d", "e", "b"]);
    expect(next(9, 20)).toEqual(["d", "e", "b", "c"]);
  });
});

describe("what is shown", () => {
  it("visible writes what cannot be seen as its escape", () => {
    expect(visible("a\u202eb\u0000c\u200bd")).toBe("a\\u202eb\\u0000c\\u200bd");
    expect(visible("<b>é 漢 👍</b>")).toBe("<b>é 漢 👍</b>");
    expect(glimpse("abcdef", 3)).toBe("abc…");
  });

  it("numbers and times have one form", () => {
    expect([0, 1_023, 1_024, 1_536_000].map(bytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 MiB",
    ]);
    expect([0, 0.4, 90, 600, 90_000, 1e6].map(duration)).toEqual([
      "0 s",
      "under 1 s",
      "90 s",
      "10 min",
      "25 h",
      "12 d",
    ]);
    expect(counted(1, "key")).toBe("1 key");
    expect(counted(2_000, "delivery", "deliveries")).toBe("2,000 deliveries");
    expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:05:00Z"))).toBe("5 min ago");
    expect([0, 0.01, 2.25, 1_200].map(rate)).toEqual(["0/s", "<0.1/s", "2.3/s", "1,200/s"]);
  });

  it("rates are the differences of readings, and a new life is no negative rate", () => {
    const samples = createSamples();
    samples.add("s", 10, 0);
    samples.add("s", 11, 100); // too soon
    samples.add("s", 30, 2_000);
    samples.add("s", 0, 4_000);
    expect(ratesOf(samples.of("s"))).toEqual([10, 0]);
    expect(sparkline([0, 10], 96, 24)).toBe("M0.0 24.0 L96.0 2.0");
    expect(sparkline([], 96, 24)).toBe("M0 24 H96");
  });
});
