import { describe, expect, it } from "vitest";
import type { Life } from "./names.ts";
import { createSightings, type Mark, withMark } from "./sightings.ts";

const LIFE = "orders#1" as Life;

function createSeen() {
  let nowMs = 0;
  const sightings = createSightings({ now: () => nowMs });
  const see = (atMs: number, next: number) => {
    nowMs = atMs;
    sightings.sawEnd(LIFE, 0, next);
  };
  return { sightings, see };
}

describe("what a process has seen of an end", () => {
  it("a sighting contains what existed by a moment, and nothing later", () => {
    const { sightings, see } = createSeen();
    see(1_000, 4);
    see(2_000, 9);
    // The event already existed a thousand milliseconds ago.
    see(3_000, 9);
    expect([999, 1_000, 1_999, 2_000, 9_000].map((at) => sightings.endAt(LIFE, 0, at))).toEqual([
      1, 4, 4, 9, 9,
    ]);
    expect(sightings.endAt(LIFE, 1, 9_000)).toBe(1);
  });

  it("a forgetful process never claims that an event existed earlier than it did", () => {
    const { sightings, see } = createSeen();
    for (let n = 1; n <= 10_000; n++) see(n * 10 + (n % 7), n);
    for (let n = 10; n <= 10_000; n += 13) {
      const known = sightings.endAt(LIFE, 0, n * 10 + (n % 7));
      expect(known).toBeLessThanOrEqual(n);
    }
    // The remaining marks are spread over time, so few events are kept much longer than necessary.
    expect(sightings.endAt(LIFE, 0, 60_000)).toBeGreaterThan(5_000);
  });

  it("keeps its marks while an end does not move", () => {
    const { sightings, see } = createSeen();
    see(1_000, 4);
    see(1_010, 9);
    for (let at = 2_000; at <= 100_000; at += 1_000) see(at, 9);
    expect([1_000, 1_010].map((at) => sightings.endAt(LIFE, 0, at))).toEqual([4, 9]);
  });

  it("knows since when it has seen that a life is sealed", () => {
    const clock = { nowMs: 1_000 };
    const sightings = createSightings({ now: () => clock.nowMs } as never);
    expect(sightings.sealedSince(LIFE)).toBe(1_000);
    clock.nowMs = 5_000;
    expect(sightings.sealedSince(LIFE)).toBe(1_000);
    expect(sightings.sealedSince("orders#2" as never)).toBe(5_000);
  });

  it("keeps 32 marks", () => {
    const marks = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ next: n + 1, atMs: n })).reduce<readonly Mark[]>(
        withMark,
        [],
      );
    expect([31, 32, 33, 100].map((count) => marks(count).length)).toEqual([31, 32, 32, 32]);
  });
});
