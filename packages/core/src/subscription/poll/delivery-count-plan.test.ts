import { expect, it } from "vitest";
import { deliveriesOf, isSameNote, planLimit, planNote } from "./delivery-count-plan.ts";

const row = { partition: 0, next: 1 };

it("[park.max-deliveries] the page stays small up to the last suspected event", () => {
  const first = planNote(row, { limit: 8, until: 9 });
  const again = planNote({ ...row, delivery: first }, { limit: 4, until: 5 });
  expect(again).toMatchObject({ at: 1, times: 2, limit: 4, until: 9 });
  // The events that were delivered alone are committed. The failing event comes later.
  const passed = { partition: 0, next: 5, delivery: again };
  expect(planLimit([passed], 100)).toBe(4);
  const further = planNote(passed, { limit: 4, until: 9 });
  expect(planLimit([{ ...passed, delivery: further }], 100)).toBe(2);
  expect(planLimit([{ ...passed, next: 9, delivery: further }], 100)).toBe(100);
});

it("[park.max-deliveries] the deliveries of each event are counted, in whatever page it came", () => {
  const first = planNote(row, { limit: 8, until: 9 });
  const half = planNote({ ...row, delivery: first }, { limit: 4, until: 5 });
  const counts = (of: typeof half) => [1, 4, 5, 8, 9].map((at) => deliveriesOf(of, at));
  expect(counts(half)).toEqual([2, 2, 1, 1, 0]);
  const further = planNote({ partition: 0, next: 5, delivery: half }, { limit: 2, until: 7 });
  expect([5, 6, 7, 8].map((at) => deliveriesOf(further, at))).toEqual([2, 2, 1, 1]);
  // Old records have no ends of pages.
  const { pages: _, ...old } = half;
  expect(deliveriesOf(old, 1)).toBe(2);
  expect(deliveriesOf(planNote({ ...row, delivery: old }, { limit: 1, until: 2 }), 1)).toBe(3);
});

it("[park.max-deliveries] counting continues in a record of bounded size", () => {
  let delivery = planNote(row, { limit: 1, until: 2 });
  for (let until = 3; until < 1_000; until++) {
    delivery = planNote({ ...row, delivery }, { limit: 1, until });
  }
  expect(deliveriesOf(delivery, 1)).toBe(998);
  expect(delivery.pages?.length).toBe(16);
});

it("two records are the same only with the same place, count, size and end", () => {
  const note = { at: 1, times: 2, limit: 4, until: 9 };
  expect(isSameNote(note, { ...note })).toBe(true);
  expect(isSameNote(undefined, undefined)).toBe(true);
  for (const other of [{ at: 2 }, { times: 3 }, { limit: 2 }, { until: 8 }]) {
    expect(isSameNote(note, { ...note, ...other })).toBe(false);
  }
  expect(isSameNote(note, undefined)).toBe(false);
});
