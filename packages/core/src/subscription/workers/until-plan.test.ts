import { describe, expect, it } from "vitest";
import { planSighting } from "./until-plan.ts";

const LEASE = { leaseMs: 3_000 };
const NOW = 1_000_000;
const HOUR_MS = 3_600_000;

describe("the end of a lease, as a process sees it", () => {
  it("an expiry is as stored when the clocks agree", () => {
    const seen = planSighting(undefined, NOW + 2_000, { nowMs: NOW, ...LEASE });
    expect(seen.until).toBe(NOW + 2_000);
    expect(planSighting(seen, NOW + 4_500, { nowMs: NOW + 1_600, ...LEASE }).until).toBe(
      NOW + 4_500,
    );
  });

  it("an expiry is at most a lease away, and further looks do not move it", () => {
    const seen = planSighting(undefined, NOW + HOUR_MS, { nowMs: NOW, ...LEASE });
    expect(seen.until).toBe(NOW + 3_000);
    const again = planSighting(seen, NOW + HOUR_MS, { nowMs: NOW + 2_000, ...LEASE });
    expect(again.until).toBe(NOW + 3_000);
    const renewed = planSighting(again, NOW + HOUR_MS + 1, { nowMs: NOW + 2_500, ...LEASE });
    expect(renewed.until).toBe(NOW + 5_500);
  });

  it("[clock.leases] an expiry is at most a lease away after the clock of the process is set back", () => {
    const seen = planSighting(undefined, NOW + 2_000, { nowMs: NOW, ...LEASE });
    const back = planSighting(seen, NOW + 2_000, { nowMs: NOW - HOUR_MS, ...LEASE });
    expect(back.until).toBe(NOW - HOUR_MS + 3_000);
    const again = planSighting(back, NOW + 2_000, { nowMs: NOW - HOUR_MS + 2_000, ...LEASE });
    expect(again.until).toBe(NOW - HOUR_MS + 3_000);
  });

  it("an expiry is in the future when a late clock has written it since the last look", () => {
    const first = planSighting(undefined, NOW - HOUR_MS, { nowMs: NOW, ...LEASE });
    expect(first.until).toBe(NOW - HOUR_MS);
    const renewed = planSighting(first, NOW - HOUR_MS + 900, { nowMs: NOW + 1_000, ...LEASE });
    expect(renewed.until).toBe(NOW + 4_000);
  });

  it("an expiry has passed when it may have been written long before the last look ended", () => {
    const first = planSighting(undefined, NOW + 3_000, { nowMs: NOW, ...LEASE });
    const later = planSighting(first, NOW + 4_000, { nowMs: NOW + 60_000, ...LEASE });
    expect(later.until).toBe(NOW + 4_000);
  });

  it("counts as written by a late clock only if it has passed, and only within half a lease", () => {
    const first = planSighting(undefined, NOW, { nowMs: NOW, ...LEASE });
    const seenAt = (ms: number, stored: number) =>
      planSighting(first, NOW + stored, { nowMs: NOW + ms, ...LEASE }).until - NOW;
    expect(seenAt(100, 300)).toBe(300);
    expect(seenAt(200, 200)).toBe(3_200);
    // Half of the lease, less a second for a slow request.
    expect(seenAt(600, 499)).toBe(3_600);
    expect(seenAt(600, 500)).toBe(500);
  });
});
