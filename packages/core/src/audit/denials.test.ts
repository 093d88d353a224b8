import { expect, it } from "vitest";
import { createDenials } from "./denials.ts";

it("[audit.denied] records some denied calls at once, then six a minute, and counts the others", () => {
  let nowMs = 0;
  const denials = createDenials({ monotonic: () => nowMs });
  const admitted = (count: number, tenant = "a") =>
    Array.from({ length: count }, () => denials.admit(tenant)).filter((of) => of !== undefined);
  expect(admitted(100)).toHaveLength(20);
  expect(admitted(1, "b")).toEqual([{ leftOut: 0 }]);
  nowMs += 10_000;
  expect(admitted(3)).toEqual([{ leftOut: 80 }]);
  nowMs += 24 * 3_600_000;
  expect(admitted(100)).toHaveLength(20);
  let hour = 0;
  for (let at = 0; at < 3_600; at++) {
    nowMs += 1_000;
    hour += admitted(10).length;
  }
  expect(hour).toBeLessThanOrEqual(361);
});
