import { describe, expect, it } from "vitest";
import { parsePlace, parseStart, placeInBody } from "./arguments.ts";
import { previewSeek } from "./commands/subs-seek.ts";
import { fit, widthOf } from "./output/table.ts";
import { bytes, duration, quoted, relative, visible } from "./output/words.ts";
import { decide, SAFE_MS } from "./publish/journal.ts";

const NOW = Date.parse("2026-11-29T08:00:00Z");

describe("places", () => {
  it("a place is an end, the last n events, a time ago, a time, a sequence or a cursor", () => {
    expect(parseStart("-20", NOW)).toEqual({ last: 20 });
    expect(parseStart("-15m", NOW)).toEqual({ place: "2026-11-29T07:45:00.000Z" });
    expect(parsePlace("2026-11-29T07:00:00Z", NOW)).toBe("2026-11-29T07:00:00.000Z");
    expect(parsePlace("2026-11-29 07:00Z", NOW)).toBe("2026-11-29T07:00:00.000Z");
    for (const place of ["earliest", "latest", "42", "AQECDFR1"]) {
      expect(parsePlace(place, NOW)).toBe(place);
    }
    for (const wrong of ["-x", "--", "2026-13-40"]) {
      expect(() => parsePlace(wrong, NOW)).toThrow(wrong);
    }
  });

  it("a place in a body names its kind", () => {
    expect(placeInBody("42")).toEqual({ sequence: 42 });
    expect(placeInBody("bootstrap")).toBe("bootstrap");
    expect(placeInBody("2026-11-29T07:00:00.000Z")).toBe("2026-11-29T07:00:00.000Z");
    const cursor = "AQECDHNxa0ZVQnZI";
    expect(placeInBody(cursor)).toEqual({ cursor });
    expect(() => placeInBody("nowhere")).toThrow("is not a place");
  });

  it("a seek delivers again or skips, never both", () => {
    expect(previewSeek(3, 10)).toEqual({ again: 7, skipped: 0 });
    expect(previewSeek(10, 3)).toEqual({ again: 0, skipped: 7 });
  });
});

describe("words", () => {
  it("times, sizes and arguments are as people write them", () => {
    expect(relative("2026-11-29T07:58:00Z", NOW)).toBe("2m ago");
    expect(relative("2027-01-29T08:00:00Z", NOW)).toBe("in 61d");
    expect(relative(null, NOW)).toBe("-");
    expect([duration(0), duration(0.2), duration(86_400)]).toEqual(["0s", "1s", "1d"]);
    expect([bytes(0), bytes(999), bytes(1_500_000)]).toEqual(["0 B", "999 B", "1.5 MB"]);
    expect([quoted("a/b-1"), quoted("it's")]).toEqual(["a/b-1", "'it'\\''s'"]);
    expect(visible("a\u001b[2J\u202eb\u0085")).toBe("a\\u001b[2J\\u202eb\\u0085");
  });

  it("wide characters take two columns, and elastic columns give way", () => {
    expect([widthOf("abc"), widthOf("日本"), widthOf("👩‍👩‍👧"), widthOf("é")]).toEqual([
      3, 4, 2, 1,
    ]);
    const columns = [
      { title: "A", of: String, isElastic: true },
      { title: "B", of: String },
    ];
    expect(fit(columns, [90, 10], 80)).toEqual([68, 10]);
    expect(fit(columns, [20, 10], 80)).toEqual([20, 10]);
    expect(fit(columns, [90, 78], 80)).toEqual([8, 78]);
  });
});

describe("a file that was published before", () => {
  const former = { run: "1", startedAt: NOW, line: 500, isDone: false, life: "a" };

  it("continues while the server knows its requests", () => {
    expect(decide(former, false, NOW + SAFE_MS - 1)).toMatchObject({ journal: former });
    expect(decide(undefined, false, NOW)).toMatchObject({ journal: { run: "1", line: 0 } });
  });

  it("is not continued blindly later, and a complete one is a new publish", () => {
    expect(decide(former, false, NOW + SAFE_MS)).toEqual({ kind: "too-late", line: 500 });
    const later = decide({ ...former, isDone: true }, false, NOW + SAFE_MS);
    expect(later).toMatchObject({ kind: "publish", journal: { line: 0 } });
    expect(later).not.toMatchObject({ journal: { run: "1" } });
    expect(decide(former, true, NOW)).not.toMatchObject({ journal: { run: "1" } });
  });
});
