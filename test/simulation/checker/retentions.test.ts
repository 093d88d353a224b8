import { describe, expect, it } from "vitest";
import type { Line } from "./history.ts";
import { createRetentions } from "./retentions.ts";

const HOUR_MS = 3_600_000;
const LATE_MS = 1_000;

const patch = (call: number, atMs: number, hours: number): Line[] => [
  {
    type: "invoke",
    op: "patch",
    process: "admin",
    stream: "orders",
    call,
    atMs,
    retentionMs: hours * HOUR_MS,
  },
  { type: "ok", op: "patch", process: "admin", call, atMs: atMs + 1 },
];

const leastHours = (lines: readonly Line[], publishedAtMs: number, nowMs: number): number =>
  createRetentions(lines, HOUR_MS, LATE_MS).leastMs(publishedAtMs, nowMs) / HOUR_MS;

describe("for how long events are kept", () => {
  const longer = patch(1, HOUR_MS, 24);

  it("the retention is the one that the stream was created with", () => {
    expect(leastHours([], 5, 10 * HOUR_MS)).toBe(1);
  });

  it("a longer retention applies to events published since", () => {
    expect(leastHours(longer, HOUR_MS / 2, 3 * HOUR_MS)).toBe(1);
    expect(leastHours(longer, 2 * HOUR_MS, 3 * HOUR_MS)).toBe(24);
  });

  it("a shorter retention applies at once, even if it becomes longer again later", () => {
    const lines = [...longer, ...patch(2, 5 * HOUR_MS, 2), ...patch(3, 6 * HOUR_MS, 24)];
    expect(leastHours(lines, 3 * HOUR_MS, 4 * HOUR_MS)).toBe(24);
    expect(leastHours(lines, 3 * HOUR_MS, 9 * HOUR_MS)).toBe(2);
    expect(leastHours(lines, 7 * HOUR_MS, 9 * HOUR_MS)).toBe(24);
  });

  it("a change whose answer was lost may apply until a later one is known", () => {
    const [asked] = patch(2, 5 * HOUR_MS, 2);
    const lines = [...longer, ...(asked === undefined ? [] : [asked])];
    expect(leastHours(lines, 8 * HOUR_MS, 9 * HOUR_MS)).toBe(2);
    const known = [...lines, ...patch(3, 10 * HOUR_MS, 24)];
    expect(leastHours(known, 11 * HOUR_MS, 12 * HOUR_MS)).toBe(24);
  });

  it("a restore brings back the retention of the copy", () => {
    const lines: Line[] = [
      { type: "info", op: "copied", process: "-", copy: 1, atMs: 5 },
      ...longer,
      { type: "info", op: "restored", process: "-", copy: 1, lives: [], atMs: 5 * HOUR_MS },
    ];
    expect(leastHours(lines, 6 * HOUR_MS, 7 * HOUR_MS)).toBe(1);
  });
});
