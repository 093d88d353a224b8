import { describe, expect, it } from "vitest";
import { observeArchive } from "./archive-lag.ts";
import { createLagging } from "./lagging.ts";
import { createMetrics } from "./metrics.ts";

describe("the lag over several partitions", () => {
  it("each number is the highest of all partitions", () => {
    const { note } = createLagging<{ events: number; seconds: number }>(() => 0, 1_000);
    expect(note("a", { events: 3, seconds: 50 })).toEqual({ events: 3, seconds: 50 });
    expect(note("b", { events: 9, seconds: 20 })).toEqual({ events: 9, seconds: 50 });
    expect(note("b", { events: 0, seconds: 0 })).toEqual({ events: 3, seconds: 50 });
    expect(note("a", { events: 0, seconds: 0 })).toEqual({ events: 0, seconds: 0 });
  });

  it("a lag that was seen too long ago does not count", () => {
    let nowMs = 0;
    const { note } = createLagging<{ events: number }>(() => nowMs, 1_000);
    note("a", { events: 7 });
    nowMs = 1_000;
    expect(note("b", { events: 1 })).toEqual({ events: 7 });
    nowMs = 1_001;
    expect(note("b", { events: 1 })).toEqual({ events: 1 });
  });
});

it("what archiving reports becomes metrics", () => {
  const metrics = createMetrics();
  const observed = observeArchive(metrics, () => 0);
  observed.segment(100);
  observed.segment(20);
  observed.lag({ life: "default/a/1", partition: 0, events: 5, seconds: 60 } as never);
  observed.lag({ life: "default/a/1", partition: 1, events: 2, seconds: 90 } as never);
  const values = metrics.readings().map(({ name, value }) => [name, value]);
  expect(Object.fromEntries(values)).toEqual({
    ArchivedSegments: 2,
    ArchivedBytes: 120,
    ArchiveLagEvents: 5,
    ArchiveLagSeconds: 90,
  });
});
