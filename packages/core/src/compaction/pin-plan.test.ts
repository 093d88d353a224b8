import { describe, expect, it } from "vitest";
import { HOUR_MS } from "../kernel/time.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import { planPins } from "./pin-plan.ts";

describe("the pins of bootstraps", () => {
  const checkpoint: Checkpoint = {
    next: 7,
    floor: 1,
    checkedAt: 0,
    compactedThrough: 0,
    floorAt: 0,
    events: 0,
    bytes: 0,
  };

  it("bootstraps that begin in the same hour share one pin", () => {
    const nowMs = 100 * HOUR_MS + 1;
    const pins = planPins(checkpoint, nowMs);
    expect(pins?.map(({ at }) => at)).toEqual([7]);
    const pinned = { ...checkpoint, pins: pins ?? [] };
    expect(planPins(pinned, nowMs)).toBeUndefined();
    expect(planPins({ ...pinned, next: 9 }, nowMs)).toBeUndefined();
    expect(planPins({ ...pinned, next: 6 }, nowMs)).toHaveLength(2);
    expect(planPins(pinned, nowMs + HOUR_MS)).toHaveLength(2);
  });
});
