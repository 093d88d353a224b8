import { expect, it } from "vitest";
import { planLimit, planNote } from "./delivery-count-plan.ts";

const row = { partition: 0, next: 1 };

it("[park.max-deliveries] stays narrow up to where the suspicion reaches", () => {
  const first = planNote(row, { limit: 8, until: 9 });
  const again = planNote({ ...row, delivery: first }, { limit: 4, until: 5 });
  expect(again).toEqual({ at: 1, times: 2, limit: 4, until: 9 });
  // The events that were delivered alone are committed. The failing event comes later.
  const passed = { partition: 0, next: 5, delivery: again };
  expect(planLimit([passed], 100)).toBe(4);
  const further = planNote(passed, { limit: 4, until: 9 });
  expect(planLimit([{ ...passed, delivery: further }], 100)).toBe(2);
  expect(planLimit([{ ...passed, next: 9, delivery: further }], 100)).toBe(100);
});
