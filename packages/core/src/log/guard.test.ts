import { describe, expect, it } from "vitest";
import { LedgerError } from "../kernel/error.ts";
import { DAY_MS } from "../kernel/time.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import { assertMayPublish, assertNotStalled } from "./guard.ts";

const NOW = 1_000 * DAY_MS;

/** Returns an end whose times are this many milliseconds ago. */
function endAt({ lookedMs = 0, throughMs = 0, next = 5 }) {
  const checkpoint: Checkpoint = {
    next: 5,
    floor: 1,
    checkedAt: NOW - lookedMs,
    compactedThrough: NOW - throughMs,
    floorAt: 0,
    events: 0,
    bytes: 0,
  };
  const stamp = { wallMs: NOW, monotonicMs: 0 };
  return { checkpoint, next, publishedAt: 0, expiresAt: 0, stamp, sealed: false, turned: false };
}

function codeOf(run: () => void): string {
  try {
    run();
    return "none";
  } catch (error) {
    return error instanceof LedgerError ? error.code : String(error);
  }
}

const publish = (times: Parameters<typeof endAt>[0]) =>
  codeOf(() => assertMayPublish(endAt(times), NOW));

describe("a publish", () => {
  it("is refused when the end was not checked while its batches may have expired", () => {
    expect(publish({ lookedMs: 30 * DAY_MS })).toBe("compaction-stalled");
    expect(publish({ lookedMs: 30 * DAY_MS + 1 })).toBe("numbering-at-risk");
  });

  it("is refused when the end was not checked for a week", () => {
    expect(publish({ lookedMs: 7 * DAY_MS })).toBe("none");
    expect(publish({ lookedMs: 7 * DAY_MS, next: 6 })).toBe("none");
    expect(publish({ lookedMs: 7 * DAY_MS + 1 })).toBe("compaction-stalled");
  });

  it("is refused when events stay uncompacted for a day, and not when there are none", () => {
    expect(publish({ throughMs: DAY_MS, next: 6 })).toBe("none");
    expect(publish({ throughMs: DAY_MS + 1, next: 6 })).toBe("compaction-stalled");
    expect(publish({ throughMs: DAY_MS + 1 })).toBe("none");
    // At exactly a week only the events decide.
    expect(publish({ lookedMs: 7 * DAY_MS, throughMs: DAY_MS + 1 })).toBe("none");
  });
});

it("a bootstrap is refused for the same reason as a publish", () => {
  const stalled = endAt({ lookedMs: 8 * DAY_MS });
  expect(codeOf(() => assertNotStalled(stalled, NOW))).toBe("compaction-stalled");
});
